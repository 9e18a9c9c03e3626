/** The control surface of a simulated party (sim/party.ts), as tests use it. */
import type { Exchange, Fault, RunningParty } from '../../sim/party.ts'

export function controlOf<Books>(party: RunningParty) {
  async function request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${party.url}/_control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  return {
    do: async <T = Record<string, unknown>>(action: string, input: Record<string, unknown> = {}): Promise<T> =>
      (await request('POST', `do/${action}`, input)).json() as Promise<T>,
    fault: async (fault: Fault): Promise<void> => void (await request('POST', 'faults', fault)),
    books: async (): Promise<Books> => (await request('GET', 'books')).json() as Promise<Books>,
    log: async (): Promise<Exchange[]> => (await request('GET', 'log')).json() as Promise<Exchange[]>,
    reset: async (): Promise<void> => void (await request('POST', 'reset')),
  }
}
