/** The outcomes of mutation runs, and the document that is made of them. */

export interface MutantOutcome {
  file: string
  line: number
  mutator: string
  original: string
  replacement: string
  /** `left out`: of a table, or the changed source does not load, so that nobody could ship it */
  outcome: 'killed' | 'survived' | 'not reached' | 'left out'
  /** how it was noticed, where there is more than one way */
  by?: string
}

interface Location {
  start: { line: number; column: number }
  end: { line: number; column: number }
}

/** The text of a source between two places. */
export function textAt(lines: readonly string[], { start, end }: Location): string {
  if (start.line === end.line) return lines[start.line]?.slice(start.column, end.column) ?? ''
  return [
    lines[start.line]?.slice(start.column),
    ...lines.slice(start.line + 1, end.line),
    lines[end.line]?.slice(0, end.column),
  ].join('\n')
}

export interface Counts {
  killed: number
  survived: number
  notReached: number
  leftOut: number
  /** of the killed: only by what a run asks or answers, and not by its commands */
  byInputs?: number
}

/** Of each part of the run. */
export type Results = Record<
  string,
  {
    /** day of the run */
    at: string
    files: Record<string, Counts>
    alive: MutantOutcome[]
    /** of a sample: one in this many */
    every?: number
  }
>

export const total = (files: readonly Counts[]): Counts =>
  files.reduce(
    (sum, { killed, survived, notReached, leftOut }) => ({
      killed: sum.killed + killed,
      survived: sum.survived + survived,
      notReached: sum.notReached + notReached,
      leftOut: sum.leftOut + leftOut,
    }),
    { killed: 0, survived: 0, notReached: 0, leftOut: 0 },
  )

/** Killed mutants of all that were tried, in percent. */
export function scoreOf({ killed, survived, notReached }: Counts): number {
  const tried = killed + survived + notReached
  return tried === 0 ? 100 : Math.round((killed / tried) * 1000) / 10
}
