import { printable, wrapped } from '../terminal-lines.ts'

/** A finding of `npm run doctor` about one thing. */
export interface Finding {
  about: string
  /** `not_asked`: a setting that the question needs is missing or wrong */
  state: 'ok' | 'fault' | 'not_asked'
  detail: string
  /** what to do about a fault */
  remedy?: string
}

const marks = { ok: 'ok   ', fault: 'FAULT', not_asked: '-    ' } as const

/** Below that many columns beside the names there is no room for sentences. */
const leastForWords = 36

/**
 * The lines that say it, with its words in a column of their own where the terminal has room for one.
 * @param width of the longest name
 */
export function linesOfFinding({ about, state, detail, remedy }: Finding, width: number, columns: number): string[] {
  const hasRoom = columns >= width + 9 + leastForWords
  const [head, below] = hasRoom ? [`${about.padEnd(width)}  `, ' '.repeat(width + 9)] : [`${about}: `, '  ']
  return [
    ...wrapped(`${marks[state]}  ${head}`, printable(detail), columns),
    ...(remedy === undefined ? [] : wrapped(`${below}→ `, remedy, columns)),
  ]
}

/** A fault that says what to do. */
export class Fault extends Error {
  override readonly name = 'Fault'
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}
