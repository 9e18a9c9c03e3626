/** Why a mutant that no test notices may be left alone. One without a reason here is shown as open. */
import type { MutantOutcome } from './results.ts'

export interface Survivor {
  /** the file, or what the names of the files begin with */
  file: string
  /** a part of the text that the mutants replace */
  text?: string
  /** the kind of the mutants */
  mutator?: string
  why: string
}

const emptyDetail = 'without names the detail is an empty text instead of none: people see nothing in both'
const separator = 'how the names of a detail are separated'
const toTheMillisecond = 'differs at one millisecond only'
const forTheCompiler = 'the statement always returns a row: the compiler does not know'

export const survivors: readonly Survivor[] = [
  { file: 'db/evidence/', text: 'length > 0', why: emptyDetail },
  { file: 'db/evidence/', text: "', '", why: separator },
  { file: 'db/evidence/orders.ts', text: 'compared > plusMs', why: toTheMillisecond },
  { file: 'db/evidence/orders.ts', text: 'missing !== 0', why: emptyDetail },
  { file: 'db/evidence/retention.ts', text: 'read_at > since', why: toTheMillisecond },
  { file: 'db/evidence/retention.ts', text: 'first_account <= since', why: toTheMillisecond },
  {
    file: 'db/evidence/retention.ts',
    text: '!== null',
    why: 'null is later than no time: the comparison beside it decides',
  },
  { file: 'db/evidence/retention.ts', text: 'day.toISOString()', why: 'PostgreSQL reads the day of a time in UTC' },
  { file: 'db/evidence/policy.ts', text: 'held === undefined', why: forTheCompiler },
  { file: 'db/evidence/policy.ts', text: 'short && untold', why: forTheCompiler },
  { file: 'db/evidence/policy.ts', text: "'no version is coming'", why: 'words for operators' },
  { file: 'db/evidence/accounts.ts', text: 'return false', why: 'nothing counts as unreadable, as false does' },
  {
    file: 'db/evidence/accounts.ts',
    text: '_key === null',
    why: 'a key that is missing does not unwrap either, which counts the same',
  },
  { file: 'db/evidence/accounts.ts', text: 'kek_id === null', why: 'kek_id and wrapped_key are missing together' },
  { file: 'db/evidence/schema.ts', text: "''", why: 'a column’s name has a dot: the compiler does not know' },
  {
    file: 'api/evidence/exports.ts',
    text: "typeof entry.export === 'string'",
    why: 'an entry that is no text is no field of the export either',
  },
  {
    file: 'db/evidence/',
    mutator: 'OptionalChaining',
    why: 'the statement counts, and always returns a row: the compiler does not know',
  },
  { file: 'shared/csv.ts', text: 'amount < 0n', why: 'zero has no sign' },
  { file: 'shared/datev.ts', text: 'amount < 0n ? -amount', why: 'zero has no sign' },
  {
    file: 'policy/vat-rates.ts',
    mutator: 'OptionalChaining',
    why: 'each state has a rate without a first day: the compiler does not know',
  },
  {
    file: 'policy/vat.ts',
    text: "''",
    why: 'a text that is no country’s code, as any other text would be',
  },
]

export const reasonOf = ({ file, original, mutator }: MutantOutcome): string | undefined =>
  survivors.find(
    (one) =>
      file.startsWith(one.file) &&
      (one.text === undefined || original.includes(one.text)) &&
      (one.mutator === undefined || one.mutator === mutator),
  )?.why
