/** A run whose code needs the processor. @param turns how often it goes round */
export async function slow(turns: number): Promise<number> {
  await Promise.resolve()
  return goRound(turns)
}

/** @returns a number that depends on each turn, so that none is left out */
export function goRound(turns: number): number {
  let result = 0
  for (let turn = 0; turn < turns; turn++) result = (result * 31 + turn) % 1_000_003
  return result
}
