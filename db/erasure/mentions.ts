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
export async function* mentionsIn<Row extends { text: string }>(
  texts: PendingQuery<Row[]>,
  ids: readonly string[],
  shortest = shortestMentioned,
): AsyncGenerator<{ row: Row; id: string }> {
  const long = new Map<string, string[]>()
  const short: string[] = []
  const mayStart = new Uint8Array(marks)
  for (const id of ids) {
    if (id.length < shortest) continue
    if (id.length < shortestMentioned) {
      short.push(id)
      continue
    }
    const start = startOf(id)
    const known = long.get(start)
    if (known) known.push(id)
    else long.set(start, [id])
    mayStart[markAt(start, 0)] = 1
  }
  for await (const rows of texts.cursor(rowsAtOnce))
    for (const row of rows) {
      const words = row.text.toLowerCase()
      const found = new Set(short.filter((id) => words.includes(id.toLowerCase())))
      for (let from = 0; from + shortestMentioned <= words.length; from += 1) {
        if (mayStart[markAt(words, from)] === 0) continue
        for (const id of long.get(words.slice(from, from + shortestMentioned)) ?? [])
          if (words.startsWith(id.toLowerCase(), from)) found.add(id)
      }
      for (const id of found) yield { row, id }
    }
}

const startOf = (id: string): string => id.slice(0, shortestMentioned).toLowerCase()

/** Most places of a text are the start of no id: its first four characters say so without a new string. */
const marks = 2 ** 16
const markAt = (text: string, at: number): number =>
  ((text.charCodeAt(at) << 12) ^
    (text.charCodeAt(at + 1) << 8) ^
    (text.charCodeAt(at + 2) << 4) ^
    text.charCodeAt(at + 3)) &
  (marks - 1)

/** A regular expression of PostgreSQL that finds each of these ids. */
export const patternOf = (ids: readonly string[]): string =>
  ids.map((id) => id.replaceAll(/[^\w-]/g, (character) => `\\${character}`)).join('|')
