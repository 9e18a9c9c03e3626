/**
 * Deletions are complete, those of children included (G3, K1), and nothing is kept beyond its period: accounts (R1),
 * books (R2), backups (R3).
 */
import { milliseconds, periods } from '../../../policy/periods.ts'
import { toldAfterDeletion } from './app-backend.ts'
import { aboutRefund, distinct, mailsOf } from './messages.ts'
import {
  type Acknowledgements,
  type Finding,
  living,
  type Oracle,
  type Order,
  type OutsideBooks,
  type Person,
} from './record.ts'

const underWayMs = 15_000
const { day: dayMs } = milliseconds

const farewell = /^Your account is deleted$/

const ordersOf = ({ accountId }: Person, { orders }: Acknowledgements): Order[] =>
  orders.filter((order) => order.accountId === accountId)

/** The customers at Stripe that a person's payments name. */
function customersOf(person: Person, { payments }: OutsideBooks, said: Acknowledgements): string[] {
  const orderIds = new Set(ordersOf(person, said).map(({ orderId }) => orderId))
  return payments.flatMap(({ orderId, customer }) => (customer !== null && orderIds.has(orderId) ? [customer] : []))
}

/** Where an erased person is still found at outside parties. */
function remainsElsewhere(person: Person, books: OutsideBooks, said: Acknowledgements): string[] {
  // Of somebody who came back, a revocation would end the new link as well.
  const linked = books.grants.filter(({ subject, revoked }) => subject === person.appleSubject && !revoked)
  const customers = customersOf(person, books, said)
  return [
    ...(books.firebaseUsers.includes(person.firebaseUid) ? ['the Firebase user is there'] : []),
    ...(linked.length > person.spentCodes && person.returnedAt === null ? ['Sign in with Apple is not revoked'] : []),
    ...(customers.some((customer) => books.customers.includes(customer)) ? ['the Stripe customer is there'] : []),
  ]
}

/** Orders of an erased person that the API still answers. */
function shownOrders(person: Person, said: Acknowledgements): string[] {
  const { length: shown } = ordersOf(person, said).filter(({ answers }) => answers !== 404)
  return shown > 0 ? [`${shown} orders are still shown`] : []
}

/** What is left after a deletion that was asked for. */
function remains(person: Person, books: OutsideBooks, said: Acknowledgements): string[] {
  const { deletion } = person
  if (!deletion) return []
  const orders = ordersOf(person, said)
  const late = distinct(mailsOf(books, person).filter(({ at }) => at > deletion.at + underWayMs))
  const farewells = distinct(mailsOf(books, person).filter(({ subject }) => farewell.test(subject))).length
  const deletionEvents = said.events.filter(
    ({ type, receiptId }) => type === 'account.deleted' && receiptId === deletion.receiptId,
  )
  return [
    ...(person.seen.status === 404 ? [] : [`the account answers ${person.seen.status}`]),
    ...(deletion.wasRestored ? ['a restore has brought the account back'] : []),
    ...shownOrders(person, said),
    ...deletion.pending.map((party) => `${party} has not deleted in time`),
    ...deletion.left.map((party) => `${party} is left to operators`),
    ...remainsElsewhere(person, books, said),
    // The last mail, and one for each refund that the deletion makes.
    ...(late.length > 1 + orders.length ? [`${late.length} mails after the deletion`] : []),
    ...late
      .filter(({ subject }) => !farewell.test(subject) && !aboutRefund.test(subject))
      .map(({ subject }) => `"${subject}" comes after the deletion`),
    // That of somebody who came back meanwhile may be the new account's.
    ...(farewells === 1 || person.returnedAt !== null ? [] : [`${farewells} mails say that the account is deleted`]),
    ...(deletionEvents.length === 1 ? [] : [`the app backend was told ${deletionEvents.length} times`]),
  ]
}

/** G3: an acknowledged deletion is complete, and touches nobody else. */
export const deletionsAreComplete: Oracle = (books, said) => {
  const found: Finding[] = said.people.flatMap((person) =>
    remains(person, books, said).map((what) => ({ subject: person.name, what })),
  )
  found.push(...toldAfterDeletion(books, said))
  for (const person of living(said)) {
    const { name, firebaseUid, appleSubject, seen } = person
    const linked = books.grants.filter(({ subject, revoked }) => subject === appleSubject && !revoked)
    if (seen.status === 404) found.push({ subject: name, what: 'erased without having asked' })
    if (!books.firebaseUsers.includes(firebaseUid))
      found.push({ subject: name, what: 'the Firebase user was deleted without having asked' })
    if (appleSubject && linked.length === 0)
      found.push({ subject: name, what: 'Sign in with Apple was revoked without having asked' })
    if (customersOf(person, books, said).some((customer) => !books.customers.includes(customer)))
      found.push({ subject: name, what: 'the Stripe customer was deleted without having asked' })
  }
  return found
}

/** K1: a reported child is erased at once, with the reason, and by everybody in time. */
export const childrenAreErased: Oracle = (books, said) =>
  said.people.flatMap((child) => {
    const { name, deletion, seen } = child
    if (deletion?.asked !== 'child') return []
    return [
      ...(seen.status === 404 ? [] : [{ subject: name, what: 'the account of a child is there' }]),
      ...(deletion.reason === 'child' ? [] : [{ subject: name, what: `a child is erased as ${deletion.reason}` }]),
      ...[...deletion.pending, ...deletion.left].map((party) => ({
        subject: name,
        what: `a child is still at ${party}`,
      })),
      ...remainsElsewhere(child, books, said).map((what) => ({ subject: name, what: `erased as a child: ${what}` })),
    ]
  })

/** R1: an account that nobody uses is warned three times, and gone after three years; any other stays. */
export const unusedAccountsEnd: Oracle = (books, said) =>
  said.people.flatMap((person) => {
    const subjects = distinct(mailsOf(books, person)).map(({ subject }) => subject)
    const warnings = subjects.filter((subject) => /account will be deleted in \d+ days?$/.test(subject))
    const wanted = person.inactive ? periods.account.warningsBeforeDays.length : 0
    const found: Finding[] = []
    if (warnings.length !== wanted)
      found.push({ subject: person.name, what: `${warnings.length} warnings of inactivity, not ${wanted}` })
    if (new Set(warnings).size < warnings.length)
      found.push({ subject: person.name, what: 'two warnings of inactivity name the same number of days' })
    if (person.inactive && person.seen.status !== 404)
      found.push({ subject: person.name, what: 'unused for three years, and still there' })
    const farewells = subjects.filter((subject) => farewell.test(subject)).length
    if (person.inactive && farewells !== 1)
      found.push({
        subject: person.name,
        what: `unused for three years, and told ${farewells} times that it is deleted`,
      })
    if (person.inactive)
      for (const what of [...remainsElsewhere(person, books, said), ...shownOrders(person, said)])
        found.push({ subject: person.name, what: `unused for three years: ${what}` })
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
    .map(({ name, ageMs }) => ({ subject: `backup ${name}`, what: `is kept for ${Math.floor(ageMs / dayMs)} days` }))
