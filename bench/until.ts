import { setTimeout as pause } from 'node:timers/promises'

/** Calls `look` until it returns something. @throws after the time limit */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined>,
  { timeoutMs = 60_000, everyMs = 25 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<Found> {
  for (const deadline = Date.now() + timeoutMs; ; await pause(everyMs)) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`)
  }
}
