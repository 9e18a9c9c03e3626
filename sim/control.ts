/** A client of a simulator's control API (sim/simulator.ts), for tests, the demo and the benchmark. */
import type { Fault, LoggedRequest } from './simulator.ts'

export type SimulatorControl<Books = Record<string, unknown>> = ReturnType<typeof controlOf<Books>>

/** @param simulator the address of a running simulator, in this process or another */
export function controlOf<Books>(simulator: { url: string }) {
  async function request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${simulator.url}/_control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  return {
    url: simulator.url,
    /** @throws with the simulator's own message when it refuses the action */
    do: async <T = Record<string, unknown>>(action: string, input: Record<string, unknown> = {}): Promise<T> =>
      (await request('POST', `do/${action}`, input)).json() as Promise<T>,
    fault: async (fault: Fault): Promise<void> => void (await request('POST', 'faults', fault)),
    clearFaults: async (): Promise<void> => void (await request('DELETE', 'faults')),
    books: async (): Promise<Books> => (await request('GET', 'books')).json() as Promise<Books>,
    log: async (): Promise<LoggedRequest[]> => (await request('GET', 'log')).json() as Promise<LoggedRequest[]>,
    reset: async (): Promise<void> => void (await request('POST', 'reset')),
  }
}
