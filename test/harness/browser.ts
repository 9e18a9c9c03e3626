/** A minimal browser: it keeps cookies and submits forms, and follows no redirects. */
export interface Shown {
  status: number
  html: string
  headers: Headers
  location: string | null
}

export type Surfer = ReturnType<typeof createSurfer>

/** @param site the address of the site */
export function createSurfer(site: string) {
  const cookies = new Map<string, string>()

  async function request(
    method: string,
    path: string,
    fields?: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<Shown> {
    const response = await fetch(new URL(path, site), {
      method,
      redirect: 'manual',
      headers: {
        ...(cookies.size > 0 && { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(method === 'POST' && { 'sec-fetch-site': 'same-origin' }),
        ...headers,
      },
      ...(fields && { body: new URLSearchParams(fields) }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    return {
      status: response.status,
      html: await response.text(),
      headers: response.headers,
      location: response.headers.get('location'),
    }
  }

  return {
    cookies,
    open: (path: string) => request('GET', path),
    /** Posts fields without opening a page first. */
    post: (path: string, fields: Record<string, string>, headers?: Record<string, string>) =>
      request('POST', path, fields, headers),
    /**
     * Opens a page, and submits its form for `action` by its first button, with the hidden fields and the given ones.
     */
    async submit(
      page: string,
      action: string,
      fields: Record<string, string> = {},
      headers: Record<string, string> = {},
    ): Promise<Shown> {
      const { html } = await request('GET', page)
      const form = html.split('<form ').find((part) => part.includes(`action="${action}"`))
      if (!form) throw new Error(`no form for ${action} on ${page}`)
      const [inside = ''] = form.split('</form>')
      const hidden = [...inside.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)]
      const [button = ''] = /<button [^>]*>/.exec(inside) ?? []
      const name = attribute(button, 'name')
      const values = {
        ...Object.fromEntries(hidden.map(([, field, value]) => [field ?? '', value ?? ''])),
        ...(name !== undefined && { [name]: attribute(button, 'value') ?? '' }),
        ...fields,
      }
      return request('POST', action, values, headers)
    },
  }
}

const attribute = (tag: string, name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1]
