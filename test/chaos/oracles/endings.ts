/**
 * Deletions are complete, those of children included (G3, K1), and nothing is kept beyond its period: accounts (R1),
 * books (R2), backups (R3).
 */
import { milliseconds, periods } from '../../../policy/periods.ts'
import { distinct, mailsOf } from './messages.ts'
import { type Acknowledgements, type Finding, living, type Oracle, type OutsideBooks, type Person } from './record.ts'

const underWayMs = 15_000
const { day: dayMs } = milliseconds

/** Where an erased person is still found. */
function remains(person: Person, books: OutsideBooks, said: Acknowledgements): string[] {
  const { deletion } = person
  if (!deletion) return []
  const orderIds = new Set(
    said.orders.filter(({ accountId }) => accountId === person.accountId).map(({ orderId }) => orderId),
  )
  const customers = books.payments.filter(({ orderId }) => orderIds.has(orderId)).map(({ customer }) => customer)
  const late = distinct(mailsOf(books, person).filter(({ at }) => at > deletion.at + underWayMs))
  const deletionEvents = said.events.filter(
    ({ type, receiptId }) => type === 'account.deleted' && receiptId === deletion.receiptId,
  )
  // Of somebody who came back, a revocation would end the new link as well.
  const linked = books.grants.filter(({ subject, revoked }) => subject === person.appleSubject && !revoked)
  return [
    ...(person.seen.status === 404 ? [] : [`the account answers ${person.seen.status}`]),
    ...deletion.pending.map((party) => `${party} has not deleted in time`),
    ...(books.firebaseUsers.includes(person.firebaseUid) ? ['the Firebase user is there'] : []),
    ...(linked.length > 0 && person.returnedAt === null ? ['Sign in with Apple is not revoked'] : []),
    ...(customers.some((customer) => customer !== null && books.customers.includes(customer))
      ? ['the Stripe customer is there']
      : []),
    // The last mail, and one for each refund that the deletion makes.
    ...(late.length > 1 + orderIds.size ? [`${late.length} mails after the deletion`] : []),
    ...(deletionEvents.length === 1 ? [] : [`the app backend was told ${deletionEvents.length} times`]),
  ]
}

/** G3: an acknowledged deletion is complete, and touches nobody else. */
export const deletionsAreComplete: Oracle = (books, said) => {
  const found: Finding[] = said.people.flatMap((person) =>
    remains(person, books, said).map((what) => ({ subject: person.name, what })),
  )
  for (const { name, firebaseUid, appleSubject, seen } of living(said)) {
    const linked = books.grants.filter(({ subject, revoked }) => subject === appleSubject && !revoked)
    if (seen.status === 404) found.push({ subject: name, what: 'erased without having asked' })
    if (!books.firebaseUsers.includes(firebaseUid))
      found.push({ subject: name, what: 'the Firebase user was deleted without having asked' })
    if (appleSubject && linked.length === 0)
      found.push({ subject: name, what: 'Sign in with Apple was revoked without having asked' })
  }
  return found
}

/** K1: a reported child is erased at once, with the reason. */
export const childrenAreErased: Oracle = (_books, { people }) =>
  people
    .filter(({ deletion, seen }) => deletion?.reason === 'child' && seen.status !== 404)
    .map(({ name }) => ({ subject: name, what: 'the account of a child is there' }))

/** R1: an account that nobody uses is warned three times, and gone after three years; any other stays. */
export const unusedAccountsEnd: Oracle = (books, { people }) =>
  people.flatMap((person) => {
    const subjects = distinct(mailsOf(books, person)).map(({ subject }) => subject)
    const warnings = subjects.filter((subject) => /account will be deleted in \d+ days?$/.test(subject))
    const wanted = person.inactive ? periods.account.warningsBeforeDays.length : 0
    const found: Finding[] = []
    if (warnings.length !== wanted)
      found.push({ subject: person.name, what: `${warnings.length} warnings of inactivity, not ${wanted}` })
    if (person.inactive && person.seen.status !== 404)
      found.push({ subject: person.name, what: 'unused for three years, and still there' })
    return found
  })

/** R2: the books are nobody's, and end with their period. */
export const booksAreAnonymous: Oracle = (_books, { people, journal, journalAfterPeriod }) => [
  ...people
    .filter(({ email, firstName, lastName }) =>
      [email, firstName, lastName].some((text) => journal.text.includes(text)),
    )
    .map(({ name }) => ({ subject: name, what: 'is found in the journal' })),
  ...(journalAfterPeriod && journalAfterPeriod.entries.length > 0
    ? [{ subject: 'journal', what: `${journalAfterPeriod.entries.length} documents after seven years` }]
    : []),
]

/** R3: no backup is kept for longer than its period. */
export const backupsEnd: Oracle = (_books, { backups }) =>
  backups
    .filter(({ kept, ageMs }) => kept && ageMs > periods.backups.keepDays * dayMs)
    .map(({ ageMs }) => ({ subject: 'a backup', what: `is kept for ${Math.floor(ageMs / dayMs)} days` }))
