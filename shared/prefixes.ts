/** Whether a text begins with one of these. It takes no longer the more there are. */
export function beginsWithOneOf(prefixes: readonly string[]): (text: string) => boolean {
  const known = new Set(prefixes)
  const lengths = [...new Set(prefixes.map(({ length }) => length))]
  return (text) => lengths.some((length) => known.has(text.slice(0, length)))
}
