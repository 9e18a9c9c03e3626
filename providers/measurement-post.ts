/** One JSON POST to a measurement service, its faults told apart. */
import { ProviderFailure } from './failure.ts'
import { connectionFault, sendRequest } from './http-request.ts'

/**
 * Answers whatever is not a server error or a redirect. Throws ProviderFailure: unavailable (not applied) for a refused
 * connection, 429 and 503; unknown_outcome for a time-out, a cut connection and other 5xx. Causes are left out: they
 * name the URL.
 */
export async function postMeasurement(
  provider: string,
  url: URL,
  body: unknown,
  timeoutMs: number,
): Promise<{ status: number; text: string }> {
  const headers = { 'content-type': 'application/json' }
  const reply = await sendRequest({ method: 'POST', url, headers, body: JSON.stringify(body), timeoutMs }).catch(
    (error: unknown) => {
      const { code, sent } = connectionFault(error)
      throw new ProviderFailure(provider, sent ? 'unknown_outcome' : 'unavailable', code)
    },
  )
  const { status, text } = reply
  if (status === 429 || status === 503) {
    const seconds = Number(reply.header('retry-after'))
    const options = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
    throw new ProviderFailure(provider, 'unavailable', `http_${status}`, options)
  }
  if (status >= 500 || (status >= 300 && status < 400)) {
    throw new ProviderFailure(provider, 'unknown_outcome', `http_${status}`)
  }
  return { status, text }
}
