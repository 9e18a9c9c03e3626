/** One form-encoded POST, its faults told apart. */
import { ProviderFailure } from './failure.ts'

const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']

/**
 * Answers the status and, if the reply was JSON, its value, of whatever is not a server error. Throws ProviderFailure:
 * `unavailable` for a refused connection, 429 and 503; `unknown_outcome` for a time-out, a cut connection and other
 * 5xx. Causes are left out, for they hold what was sent.
 */
export async function postForm(
  provider: string,
  url: string,
  fields: Record<string, string>,
  timeoutMs = 15_000,
): Promise<{ status: number; json: unknown }> {
  const { status, retryAfter, text } = await send(provider, url, fields, timeoutMs)
  if (status === 429 || status === 503) {
    const seconds = Number(retryAfter)
    throw new ProviderFailure(
      provider,
      'unavailable',
      `http_${status}`,
      seconds > 0 ? { retryAfterMs: seconds * 1000 } : {},
    )
  }
  if (status >= 500) throw new ProviderFailure(provider, 'unknown_outcome', `http_${status}`)
  return { status, json: parse(text) }
}

async function send(provider: string, url: string, fields: Record<string, string>, timeoutMs: number) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(fields),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, retryAfter: response.headers.get('retry-after'), text: await response.text() }
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new ProviderFailure(provider, 'unknown_outcome', 'timeout')
    }
    const code = networkCode(error)
    throw new ProviderFailure(
      provider,
      neverSent.includes(code) ? 'unavailable' : 'unknown_outcome',
      code.toLowerCase(),
    )
  }
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause !== null && typeof cause === 'object' && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'connection_lost'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
