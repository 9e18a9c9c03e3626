/** Finds a small part of a failing plan that still fails: delta debugging (Zeller and Hildebrandt, ddmin, 2002). */

/**
 * @param fails whether a plan fails; it is asked about each part at most once
 * @returns a part that fails, of which no single event can be left out (unless `tries` are used up)
 */
export async function shrink<Event>(
  events: readonly Event[],
  fails: (part: Event[]) => Promise<boolean>,
  { tries = 200 } = {},
): Promise<Event[]> {
  let current = [...events]
  let parts = 2
  let left = tries
  const asked = new Map<string, boolean>()
  const index = new Map(events.map((event, at) => [event, at]))
  const ask = async (part: Event[]): Promise<boolean> => {
    const key = part.map((event) => index.get(event)).join()
    const known = asked.get(key)
    if (known !== undefined) return known
    if (left === 0) return false
    left -= 1
    const answer = await fails(part)
    asked.set(key, answer)
    return answer
  }
  while (current.length >= 2 && left > 0) {
    const size = Math.ceil(current.length / parts)
    const chunks = Array.from({ length: Math.ceil(current.length / size) }, (_, at) =>
      current.slice(at * size, (at + 1) * size),
    )
    const found = (await firstFailing(chunks, ask)) ?? (await firstFailing(complements(chunks), ask))
    if (found) {
      parts = chunks.includes(found) ? 2 : Math.max(parts - 1, 2)
      current = found
    } else if (parts >= current.length) break
    else parts = Math.min(parts * 2, current.length)
  }
  return current
}

async function firstFailing<Event>(
  parts: Event[][],
  fails: (part: Event[]) => Promise<boolean>,
): Promise<Event[] | undefined> {
  for (const part of parts) if (await fails(part)) return part
  return undefined
}

const complements = <Event>(chunks: Event[][]): Event[][] =>
  chunks.length <= 2 ? [] : chunks.map((chunk) => chunks.filter((other) => other !== chunk).flat())
