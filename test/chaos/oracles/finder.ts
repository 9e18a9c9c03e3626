/** Finds many texts in many requests: thousands of each, which one `includes` for each pair would take hours for. */

/** The number of a text's characters that are searched at each place of a request. */
const keyLength = 6

/** @returns the texts that a request contains, whatever their case */
export function createFinder<Item extends { text: string }>(items: readonly Item[]): (text: string) => Item[] {
  const byLength = new Map<number, Map<string, { lower: string; item: Item }[]>>()
  for (const item of items) {
    const lower = item.text.toLowerCase()
    const length = Math.min(keyLength, lower.length)
    const keys = byLength.get(length) ?? new Map<string, { lower: string; item: Item }[]>()
    byLength.set(length, keys)
    const key = lower.slice(0, length)
    const those = keys.get(key)
    if (those) those.push({ lower, item })
    else keys.set(key, [{ lower, item }])
  }
  return (text) => {
    const lower = text.toLowerCase()
    const found = new Set<Item>()
    for (const [length, keys] of byLength) {
      for (let at = 0; at + length <= lower.length; at += 1) {
        for (const each of keys.get(lower.slice(at, at + length)) ?? [])
          if (lower.startsWith(each.lower, at)) found.add(each.item)
      }
    }
    return [...found]
  }
}
