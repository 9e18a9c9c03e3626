/** One JSON POST to a measurement service, its faults told apart. */
import { ProviderFailure } from './failure.ts'

/**
 * Answers whatever is not a server error. Throws ProviderFailure: unavailable (not applied) for a refused connection,
 * 429 and 503; unknown_outcome for a time-out, a cut connection and other 5xx. Causes are left out: they name the URL.
 */
export async function fetchFrom(
  provider: string,
  url: URL,
  body: unknown,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    const text = await response.text()
    const { status } = response
    if (status === 429 || status === 503) {
      const seconds = Number(response.headers.get('retry-after'))
      const options = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
      throw new ProviderFailure(provider, 'unavailable', `http_${status}`, options)
    }
    if (status >= 500) throw new ProviderFailure(provider, 'unknown_outcome', `http_${status}`)
    return { status, text }
  } catch (error) {
    if (error instanceof ProviderFailure) throw error
    const code = networkCode(error)
    const neverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code)
    throw new ProviderFailure(provider, neverSent ? 'unavailable' : 'unknown_outcome', code.toLowerCase())
  }
}

function networkCode(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') return 'ETIMEDOUT'
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause !== null && typeof cause === 'object' && 'code' in cause ? cause.code : undefined
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'connection_lost'
}
