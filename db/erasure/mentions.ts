/** Which ids texts mention: one pass over each text, however many ids are sought. */
import type { PendingQuery } from 'postgres'

/** Ids of ours and of outside parties are longer: a shorter text would be found in others by chance. */
const shortestMentioned = 8
const rowsAtOnce = 1_000

/**
 * Reads texts of other things, and finds the ids that they have among other words. Somebody may have typed them in
 * capitals.
 * @param shortest ids that are shorter are not sought
 */
export async function mentionedIn(
  texts: PendingQuery<{ text: string }[]>,
  ids: readonly string[],
  shortest = shortestMentioned,
): Promise<string[]> {
  const long = new Map<string, string[]>()
  const short: string[] = []
  for (const id of ids) {
    if (id.length < shortest) continue
    if (id.length < shortestMentioned) short.push(id)
    else long.set(startOf(id), [...(long.get(startOf(id)) ?? []), id])
  }
  const found = new Set<string>()
  for await (const rows of texts.cursor(rowsAtOnce))
    for (const { text } of rows) {
      const words = text.toLowerCase()
      for (const id of short) if (words.includes(id.toLowerCase())) found.add(id)
      for (let from = 0; from + shortestMentioned <= words.length; from += 1)
        for (const id of long.get(words.slice(from, from + shortestMentioned)) ?? [])
          if (words.startsWith(id.toLowerCase(), from)) found.add(id)
    }
  return [...found]
}

const startOf = (id: string): string => id.slice(0, shortestMentioned).toLowerCase()

/** A regular expression of PostgreSQL that finds each of these ids. */
export const patternOf = (ids: readonly string[]): string =>
  ids.map((id) => id.replaceAll(/[^\w-]/g, (character) => `\\${character}`)).join('|')
