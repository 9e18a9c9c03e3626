/**
 * A row of a security standard, and what this project answers.
 * - `met`, `partly`, `not met`: `how` says by what, or what is missing
 * - `does not apply`: `how` says why
 */
export interface StandardRow {
  id: string
  /** the requirement in our own words */
  about: string
  status: 'met' | 'partly' | 'not met' | 'does not apply'
  how: string
  /** files whose tests show it */
  tests: readonly string[]
}

export const met = (id: string, about: string, how: string, ...tests: string[]): StandardRow => ({
  id,
  about,
  status: 'met',
  how,
  tests,
})

export const partly = (id: string, about: string, how: string, ...tests: string[]): StandardRow => ({
  ...met(id, about, how, ...tests),
  status: 'partly',
})

export const notMet = (id: string, about: string, how: string): StandardRow => ({
  ...met(id, about, how),
  status: 'not met',
})

export const foreign = (id: string, about: string, why: string): StandardRow => ({
  ...met(id, about, why),
  status: 'does not apply',
})
