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
const oneSort = 'a list is sorted the same way: equal names do not occur in it'
const copies = 'saves a copy, and changes no byte'
const utf8 = 'UTF-8 is what Node takes without a name'
const tagLength = 'the tag is always cut to 16 bytes'

const survivors: readonly Survivor[] = [
  { file: 'policy/figures.ts', text: 'brokenAbove !== undefined', why: 'no number is above no limit' },
  { file: 'policy/pricing.ts', text: 'withMarkup > floor', why: 'equal amounts' },
  {
    file: 'policy/privacy-reference.ts',
    mutator: 'OptionalChaining',
    why: 'what matches has its group: the compiler does not know',
  },
  {
    file: 'policy/regions.ts',
    text: 'code',
    mutator: 'ConditionalExpression',
    why: 'counts no continent, which nobody asks for',
  },
  { file: 'db/catalogue/dominated.ts', text: "''", why: 'a package has a destination: the compiler does not know' },
  { file: 'db/catalogue/dominated.ts', text: '[]', why: 'a text is no package, and better than none' },
  { file: 'activities/catalogue/merge.ts', text: 'cheapest', why: 'a group has an offer: the compiler does not know' },
  { file: 'activities/catalogue/merge.ts', text: 'a package without an offer', why: 'a group has an offer' },
  { file: 'activities/catalogue/merge.ts', text: 'best', why: 'a place has a family: the compiler does not know' },
  { file: 'activities/catalogue/merge.ts', text: 'a < b', mutator: 'EqualityOperator', why: oneSort },
  { file: 'db/erasure/claims.ts', text: "'none'", why: 'whatever is neither all nor some' },
  { file: 'db/erasure/claims.ts', text: "''", why: 'a text that is no reason, as any other text would be' },
  {
    file: 'activities/order/esim-rules.ts',
    text: 'expiresAt === null',
    why: 'a time that cannot be read is no number, near nothing',
  },
  { file: 'shared/calendar.ts', text: 'one > other', mutator: 'EqualityOperator', why: 'equal times' },
  { file: 'shared/deadline.ts', text: 'at !== undefined', why: 'no time is later than no time' },
  { file: 'shared/withdrawal-period.ts', text: 'end > latest', why: 'equal times' },
  { file: 'db/backup/backup-cipher.ts', text: 'pending.length === 0', why: copies },
  { file: 'db/backup/backup-cipher.ts', text: 'authTagLength', why: tagLength },
  { file: 'db/crypto/field-cipher.ts', text: 'authTagLength', why: tagLength },
  {
    file: 'db/backup/backup-cipher.ts',
    text: 'bytes.length < end',
    why: 'a file without a chunk is cut off in both ways',
  },
  {
    file: 'db/backup/backup-cipher.ts',
    text: "'damaged'",
    why: 'only errors are thrown here: the compiler does not know',
  },
  { file: 'db/crypto/', text: "'utf8'", why: utf8 },
  { file: 'db/backup/backup-cipher.ts', text: "'utf8'", why: utf8 },
  { file: 'db/crypto/signer.ts', text: "''", why: 'a public key has its x: the compiler does not know' },
  { file: 'db/crypto/signer.ts', text: '[]', why: 'a signature has lines: the compiler does not know' },
  { file: 'db/crypto/signer.ts', text: '!active || !activePrivate', why: 'both are missing together' },
  { file: 'db/crypto/signer.ts', text: '!activePrivate', why: 'both are missing together' },
  { file: 'db/crypto/unsubscribe-token.ts', text: '{\n    return undefined', why: 'nothing is undefined, too' },
  { file: 'db/evidence/schema.ts', text: 'parts.length > 0', why: emptyDetail },
  { file: 'db/evidence/', text: "', '", why: separator },
  { file: 'api/evidence/sub-processors.ts', text: "''", why: 'an address has a host: the compiler does not know' },
  { file: 'db/evidence/orders.ts', text: 'compared > plusMs', why: toTheMillisecond },
  { file: 'db/evidence/retention.ts', text: '> since', why: toTheMillisecond },
  { file: 'db/evidence/retention.ts', text: '<= since', why: toTheMillisecond },
  { file: 'db/evidence/retention.ts', text: 'day.toISOString()', why: 'PostgreSQL reads the day of a time in UTC' },
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
  { file: 'shared/csv.ts', text: 'amount < 0n', why: 'zero has no sign' },
  { file: 'shared/datev.ts', text: 'amount < 0n', why: 'zero has no sign' },
  { file: 'shared/datev.ts', text: 'code < 0xa0', why: 'that code has its byte already' },
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
  { file: 'workflows/order/run.ts', text: '{ delivered: false }', why: 'nothing is false, too' },
  {
    file: 'workflows/order/order.ts',
    text: 'run.paidBack.looking',
    mutator: 'ConditionalExpression',
    why: 'a wait for what holds already waits for nothing',
  },
  {
    file: 'workflows/breach/breach.ts',
    text: 'lateDays < 0',
    mutator: 'EqualityOperator',
    why: 'on the first late day the reminders that have passed are left out one by one',
  },
  {
    file: 'workflows/privacy-request.ts',
    text: 'state.answerBy === answerBy',
    mutator: 'ConditionalExpression',
    why: 'differs where a request is extended in the moment of a reminder: operators get one more',
  },
  { file: 'workflows/order/run.ts', text: '{\n      cancel: false', why: 'nothing is false, too' },
  { file: 'workflows/order/partial-refund.ts', text: '{ refund: false }', why: 'nothing is false, too' },
  { file: 'workflows/order/run.ts', text: '{ payment: false, provider: false }', why: 'nothing is false, too' },
  { file: 'workflows/privacy-request.ts', text: 'at <= now()', mutator: 'EqualityOperator', why: toTheMillisecond },
  { file: 'workflows/privacy-request.ts', text: 'now() >= due.at', mutator: 'EqualityOperator', why: toTheMillisecond },
  { file: 'workflows/backup/restore.ts', text: 'now() >= openBy', mutator: 'EqualityOperator', why: toTheMillisecond },
  {
    file: 'workflows/retention/account-inactivity.ts',
    text: 'now() >= nextStep',
    mutator: 'EqualityOperator',
    why: toTheMillisecond,
  },
  {
    file: 'workflows/breach/breach.ts',
    text: '[]',
    mutator: 'ArrayDeclaration',
    why: 'a text among the mails that are waited for is there at once',
  },
  {
    file: 'workflows/email-change.ts',
    text: "'given_up'",
    why: 'whatever is neither sent nor gone has not reached the person',
  },
  {
    file: 'workflows/order/partial-refund.ts',
    text: '{\n      if (isCancellation(error)) throw error\n    }',
    why: 'the next wait of a cancelled run ends it, too, and nothing is asked before',
  },
]

export const reasonOf = ({ file, original, mutator }: MutantOutcome): string | undefined =>
  survivors.find(
    (one) =>
      file.startsWith(one.file) &&
      (one.text === undefined || original.includes(one.text)) &&
      (one.mutator === undefined || one.mutator === mutator),
  )?.why
