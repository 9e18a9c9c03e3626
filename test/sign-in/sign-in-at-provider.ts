/** Signs operators in at the OpenID provider of a test, as their browsers do. */
import { expect } from 'vitest'
import { createSurfer, type Shown, type Surfer } from '../harness/browser.ts'
import type { TestOpenIdProvider } from './openid-provider.ts'

export const beginPath = '/console/sign-in/openid'

/** @param api the address of the API */
export function createSignIn(api: string, provider: Pick<TestOpenIdProvider, 'issuer'>) {
  /** Begins a sign-in by the button of the console. @returns the address at the provider */
  async function begun(surfer: Surfer): Promise<string> {
    const { status, html } = await surfer.post(beginPath, {})
    expect(status).toBe(200)
    const address = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(html)?.[1] ?? ''
    return address.replaceAll('&amp;', '&')
  }

  /**
   * @param there the person's browser at the provider
   * @returns path and query of the address to which it sends the browser back
   */
  async function answerAt(address: string, subject: string, there = createSurfer(provider.issuer)): Promise<string> {
    let shown: Shown = await there.open(address)
    for (let steps = 0; steps < 12; steps += 1) {
      const location = shown.location
      if (location?.startsWith(api)) return location.slice(api.length)
      if (location) shown = await there.open(location)
      else {
        const [, action = ''] = /<form [^>]*action="([^"]+)"/.exec(shown.html) ?? []
        const prompt = shown.html.includes('name="login"')
          ? { prompt: 'login', login: subject, password: 'any' }
          : { prompt: 'consent' }
        shown = await there.post(action, prompt)
      }
    }
    throw new Error('the provider does not send the browser back')
  }

  /** Signs in at the provider. @returns path and query of the address to which it sends the browser back */
  const answerOf = async (surfer: Surfer, subject: string): Promise<string> => answerAt(await begun(surfer), subject)

  return {
    begun,
    answerAt,
    answerOf,
    async signedIn(subject: string, there?: Surfer): Promise<{ surfer: Surfer; shown: Shown }> {
      const surfer = createSurfer(api)
      const shown = await surfer.open(await answerAt(await begun(surfer), subject, there))
      return { surfer, shown }
    },
  }
}
