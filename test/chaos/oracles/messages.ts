/**
 * Mails and pushes reach the person's address and devices (C4, P4, P5), each once (U3); promotions go to those alone
 * who asked for them, and stop when they no longer do (U4, G4).
 */
import { createFinder } from './finder.ts'
import {
  type Acknowledgements,
  type Finding,
  type Mail,
  type Oracle,
  type Order,
  type OutsideBooks,
  type Person,
  sum,
} from './record.ts'

/** A message that was on its way when something was acknowledged may still arrive. */
const underWayMs = 15_000
/** Work that a crash has interrupted is given up, and begun again, within this time. */
const repeatedWithinMs = 60_000

/** The subject of a mail that says that money is on its way back. */
export const aboutRefund = /^Your refund of (?!.*did not get through)/

const cancellation = /^Your order for .* is cancelled$/
const withdrawal = /^We have received your withdrawal$/
const moreData = /^Your eSIM for .* has more data$/

/** All mails by recipient: a world has thousands of both. */
const byRecipient = new WeakMap<readonly Mail[], Map<string, Mail[]>>()

function mailsTo(mails: readonly Mail[], email: string): Mail[] {
  const known = byRecipient.get(mails)
  if (known) return known.get(email) ?? []
  const index = new Map<string, Mail[]>()
  for (const mail of mails)
    for (const to of new Set(mail.to)) {
      const those = index.get(to)
      if (those) those.push(mail)
      else index.set(to, [mail])
    }
  byRecipient.set(mails, index)
  return index.get(email) ?? []
}

/** Whether a mail is this person's: later somebody else may have the address. */
const isOf = ({ at }: Mail, { signedUpAt, returnedAt }: Person): boolean =>
  at >= signedUpAt && at < (returnedAt ?? Number.POSITIVE_INFINITY)

/** The mails to a person, until somebody else has the address. */
export const mailsOf = ({ mails }: OutsideBooks, person: Person): Mail[] =>
  mailsTo(mails, person.email).filter((mail) => isOf(mail, person))

/** Accounts of before with the address: what was refunded before an erasure is told afterwards, to whoever came back. */
const wereBefore = ({ email, signedUpAt }: Person, { people }: Acknowledgements): Person[] =>
  people.filter((other) => other.email === email && other.returnedAt !== null && other.returnedAt <= signedUpAt)

/** Different mails: copies with one Message-ID count once. */
export const distinct = (mails: readonly Mail[]): Mail[] => [
  ...new Map(mails.map((mail) => [`${mail.messageId} ${mail.to}`, mail])).values(),
]

/** U3: each order has one confirmation, what else becomes of it is told, and no message comes twice. */
export const messagesComeOnce: Oracle = (books, said) => {
  const found: Finding[] = []
  const ordersOf = new Map<string, Order[]>()
  for (const order of said.orders) ordersOf.set(order.accountId, [...(ordersOf.get(order.accountId) ?? []), order])
  const refundsOf = countRefunds(books, said)
  for (const person of said.people) {
    if (person.deletion || person.inactive) continue
    const mails = distinct(mailsOf(books, person))
    const confirmations = mails.filter(({ hasQrCode }) => hasQrCode)
    const orders = ordersOf.get(person.accountId) ?? []
    // An order that is refunded while its eSIMs are made shows them, and was never delivered.
    const delivered = orders.filter(({ deliveredAt, isTopUp }) => deliveredAt !== null && !isTopUp)
    if (confirmations.length !== delivered.length)
      found.push({ subject: person.name, what: `${confirmations.length} confirmations of ${delivered.length} orders` })
    found.push(...delivered.filter((order) => isUnconfirmed(order, confirmations, said)).map(toUnconfirmed))
    found.push(...untold(person, mails, orders), ...toldAgain(person, mails, orders))
    const refundMails = mails.filter(({ subject }) => aboutRefund.test(subject))
    found.push(...orders.flatMap((order) => untoldCreditNotes(order, refundMails, said)))
    const { length: told } = refundMails
    const made = sum([person, ...wereBefore(person, said)].map(({ accountId }) => refundsOf.get(accountId) ?? 0))
    if (told > made)
      found.push({ subject: person.name, what: `${told} mails say that money comes back, and it did ${made} times` })
  }
  found.push(...repeatedMails(books, said))
  found.push(...repeatedPushes(books, said))
  return found
}

/** How many refunds each account has had, those that came back included. */
function countRefunds({ payments, refunds }: OutsideBooks, { orders }: Acknowledgements): Map<string, number> {
  const accountOf = new Map(orders.map(({ orderId, accountId }) => [orderId, accountId]))
  const ownerOf = new Map(payments.map(({ id, orderId }) => [id, accountOf.get(orderId)]))
  const counts = new Map<string, number>()
  for (const { payment } of refunds) {
    const owner = ownerOf.get(payment)
    if (owner !== undefined) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  return counts
}

/**
 * Whether no confirmation has both a document of the order and what its eSIMs are installed by. A restore may have
 * given it a new document.
 */
function isUnconfirmed(order: Order, confirmations: readonly Mail[], { losses }: Acknowledgements) {
  const { documents, matchingIds, begunAt } = order
  if (documents.length === 0 || losses.some(({ until }) => begunAt <= until)) return false
  const words = confirmations.map(wordsOf)
  return !words.some(
    (those) => documents.some((number) => those.has(number)) && matchingIds.every((code) => those.has(code)),
  )
}

/** The words of a mail: numbers of documents and activation codes among them. */
const wordsOf = ({ text }: Mail): Set<string> => new Set(text.split(/[^\w-]+/))

const toUnconfirmed = ({ name }: Order): Finding => ({
  subject: name,
  what: 'no confirmation has its invoice and eSIMs',
})

/** Refunds, cancellations, withdrawals, apologies and top-ups of which a person has no mail. */
function untold({ name }: Person, mails: readonly Mail[], orders: readonly Order[]): Finding[] {
  const told = (subject: RegExp): number => mails.filter((mail) => subject.test(mail.subject)).length
  const count = (isIt: (order: Order) => boolean): number => orders.filter(isIt).length
  const refunds =
    count(({ status }) => status === 'refunded') +
    orders.reduce((total, { partialRefunds }) => total + partialRefunds.length, 0)
  const cancelled = count(({ status }) => status === 'cancelled')
  const withdrawn = count(({ isWithdrawn }) => isWithdrawn)
  const apologisedFor = count(({ isApologisedFor }) => isApologisedFor)
  // One that is refunded before its mail was sent has none.
  const toppedUp = count(({ isTopUp, status }) => isTopUp && (status === 'delivered' || status === 'ended'))
  const found: Finding[] = []
  const compare = (is: number, wanted: number, what: string): void => {
    if (is < wanted) found.push({ subject: name, what: `${is} mails of ${wanted} ${what}` })
  }
  compare(told(aboutRefund), refunds, 'refunds')
  compare(told(cancellation), cancelled, 'cancellations')
  compare(told(withdrawal), withdrawn, 'withdrawals')
  compare(told(/^Sorry about your order for /), apologisedFor, 'apologies')
  compare(told(moreData), toppedUp, 'top-ups')
  return found
}

/** Mails of one kind that are more than the orders to which that can have happened. */
function toldAgain({ name }: Person, mails: readonly Mail[], orders: readonly Order[]): Finding[] {
  const compare = (subject: RegExp, canBe: (order: Order) => boolean, what: string): Finding[] => {
    const told = mails.filter((mail) => subject.test(mail.subject)).length
    const most = orders.filter(canBe).length
    return told > most ? [{ subject: name, what: `is told ${told} times of ${what}, of ${most} orders` }] : []
  }
  // What was paid meanwhile is refunded.
  const wasCancelled = ({ status }: Order): boolean => status === 'cancelled' || status === 'refunded'
  return [
    ...compare(cancellation, wasCancelled, 'a cancellation'),
    ...compare(withdrawal, ({ isWithdrawn }) => isWithdrawn, 'a withdrawal'),
    // One may be refunded after its mail.
    ...compare(moreData, ({ isTopUp }) => isTopUp, 'a top-up'),
  ]
}

/** Each credit note is in a mail: with two refunds, one may be told twice and the other not at all. */
function untoldCreditNotes(
  order: Order,
  refundMails: readonly Mail[],
  { journal, losses }: Acknowledgements,
): Finding[] {
  // A restore may have given it a new document.
  if (losses.some(({ until }) => order.begunAt <= until)) return []
  const words = refundMails.map(wordsOf)
  const own = new Set(order.documents)
  return journal.entries
    .filter(({ number, grossMinor }) => own.has(number) && grossMinor < 0 && !words.some((those) => those.has(number)))
    .map(({ number }) => ({ subject: order.name, what: `no mail about its refund has ${number}` }))
}

/** Whether a crash can have hidden that something was done, so that it was done again. */
const isHidden = (at: number, { crashes }: Acknowledgements): boolean =>
  crashes.some(({ from, until }) => until >= at - repeatedWithinMs && from <= at + repeatedWithinMs)

/** A mail comes again only if a crash or a lost reply lay between: a duplicate is better than none. */
function repeatedMails({ mails, lostMailReplies }: OutsideBooks, said: Acknowledgements): Finding[] {
  const before = new Map<string, Mail>()
  return mails.flatMap((mail) => {
    const key = `${mail.messageId} ${mail.to}`
    const first = before.get(key)
    before.set(key, mail)
    if (!first) return []
    const isExcused =
      isHidden(first.at, said) ||
      lostMailReplies.some(({ at, to }) => mail.to.includes(to) && at >= first.at - 1_000 && at <= mail.at)
    return isExcused ? [] : [{ subject: mail.to.join(), what: `"${mail.subject}" comes twice` }]
  })
}

/** A push comes again only after a lost reply, or a crash: FCM cannot be asked, and the second replaces the first. */
function repeatedPushes({ pushes, pushAttempts }: OutsideBooks, said: Acknowledgements): Finding[] {
  const before = new Map<string, number>()
  return pushes.flatMap(({ token, content, at }) => {
    const key = `${token} ${content}`
    const first = before.get(key)
    before.set(key, at)
    if (first === undefined) return []
    const isExcused =
      isHidden(first, said) ||
      pushAttempts.some(
        (attempt) => attempt.token === token && attempt.lost && attempt.at >= first - underWayMs && attempt.at <= at,
      )
    return isExcused ? [] : [{ subject: 'a push', what: `comes twice: ${key}` }]
  })
}

const promotions = ({ mails }: OutsideBooks, { campaigns }: Acknowledgements): Mail[] =>
  mails.filter(({ subject }) => campaigns.some((campaign) => campaign.subject === subject))

/** The consent that had been acknowledged at a time. */
const consentAt = ({ consents }: Person, at: number): boolean =>
  consents.filter((consent) => consent.at <= at).at(-1)?.granted ?? false

function repeatedOf(keys: readonly string[]): Set<string> {
  const before = new Set<string>()
  return new Set(keys.filter((key) => before.size === before.add(key).size))
}

/** U4: promotions go only to persons who opted in, each once, with one click to stop them. */
export const promotionsAreWanted: Oracle = (books, said) => {
  const found: Finding[] = []
  const sent = promotions(books, said)
  const namesakes = new Map<string, Person[]>()
  for (const person of said.people) namesakes.set(person.email, [...(namesakes.get(person.email) ?? []), person])
  for (const mail of sent) {
    const launchedAt = said.campaigns.find(({ subject }) => subject === mail.subject)?.launchedAt ?? 0
    const person = mail.to.flatMap((to) => namesakes.get(to) ?? []).find((each) => isOf(mail, each))
    const wasGranted = person?.consents.some(({ granted, at }) => granted && at <= mail.at) ?? false
    if (!person || !(consentAt(person, launchedAt) || wasGranted))
      found.push({ subject: person?.name ?? mail.to.join(), what: `"${mail.subject}" was not wanted` })
    if (!mail.oneClick) found.push({ subject: mail.to.join(), what: 'a promotion without one-click unsubscribe' })
  }
  const keys = sent.map(({ to, subject }) => `${subject} ${to}`)
  for (const key of repeatedOf(keys)) found.push({ subject: key, what: 'a promotion comes twice' })
  return found
}

/** G4: a withdrawn consent is shown as withdrawn, and no promotion follows. */
export const withdrawalsHold: Oracle = (books, said) => {
  const found: Finding[] = []
  for (const person of said.people) {
    const last = person.consents.at(-1)
    if (!last) continue
    if (person.seen.status === 200 && person.seen.promotions !== last.granted)
      found.push({ subject: person.name, what: `consent acknowledged as ${last.granted}, shown as its opposite` })
    for (const mail of promotions({ ...books, mails: mailsOf(books, person) }, said))
      if (!consentAt(person, mail.at) && !consentAt(person, mail.at - underWayMs))
        found.push({ subject: person.name, what: `"${mail.subject}" after the consent was withdrawn` })
  }
  return found
}

/**
 * C4: a token that FCM calls unregistered is used no more. A crash may have taken the answer along, and a restore
 * brings a token back that was dropped after the backup: FCM refuses it again then.
 */
export const staleTokensAreDropped: Oracle = ({ pushAttempts, unregistered }, said) =>
  unregistered
    .filter(
      ({ token, at }) =>
        !said.crashes.some(({ from, until }) => until >= at && from <= at + underWayMs) &&
        !said.losses.some(({ from, until }) => until >= at && from <= at + underWayMs) &&
        pushAttempts.some((push) => push.token === token && push.at > at + underWayMs),
    )
    .map(({ token }) => ({ subject: token, what: 'pushed to after FCM called it unregistered' }))

/** P4: pushes go to registered devices alone, to none of an erased account, and are about the person's own orders. */
export const pushesGoToDevices: Oracle = ({ pushes }, { people, orders }) => {
  const owners = new Map(people.map((person) => [person.pushToken, person]))
  const orderIn = createFinder(orders.map(({ orderId, accountId }) => ({ text: orderId, accountId })))
  const dataIn = createFinder(
    people.flatMap(({ email, firstName, lastName, phone }) =>
      [email, firstName, lastName, ...(phone ? [phone] : [])].map((text) => ({ text })),
    ),
  )
  return pushes.flatMap(({ token, at, content }) => {
    const person = owners.get(token)
    if (!person) return [{ subject: token, what: 'a push to a device that nobody has registered' }]
    const { name, deletion, accountId } = person
    const found: Finding[] = []
    if (deletion !== null && at > deletion.at + underWayMs)
      found.push({ subject: name, what: 'a push after the deletion' })
    if (orderIn(content).some((order) => order.accountId !== accountId))
      found.push({ subject: name, what: 'a push about an order of somebody else' })
    if (dataIn(content).length > 0) found.push({ subject: name, what: 'a push with personal data' })
    return found
  })
}

/**
 * P5: each mail has one recipient, whom the API knows, and data of nobody else; only promotions offer to unsubscribe.
 */
export const mailGoesToItsPerson: Oracle = (books, said) => {
  const known = new Set([
    ...said.people.map(({ email }) => email),
    ...said.privacyRequests.map(({ replyTo }) => replyTo),
  ])
  const wanted = new Set(promotions(books, said))
  const namesIn = createFinder(
    said.people.flatMap(({ email, firstName, lastName }) =>
      [email, firstName, lastName].map((text) => ({ text, email })),
    ),
  )
  const emailOf = new Map(said.people.map(({ accountId, email }) => [accountId, email]))
  const esimsIn = createFinder(
    said.orders.flatMap(({ matchingIds, accountId }) => matchingIds.map((text) => ({ text, accountId }))),
  )
  return books.mails.flatMap((mail) => {
    const strange = mail.to.filter((to) => !known.has(to) && !to.startsWith('support@'))
    const found: Finding[] = []
    if (mail.to.length !== 1) found.push({ subject: mail.to.join(), what: `"${mail.subject}" has several recipients` })
    if (strange.length > 0)
      found.push({ subject: strange.join(), what: `"${mail.subject}" went to an unknown address` })
    // What operators get has no names of anybody.
    if (namesIn(`${mail.subject}\n${mail.text}`).some(({ email }) => !mail.to.includes(email)))
      found.push({ subject: mail.to.join(), what: `"${mail.subject}" has data of somebody else` })
    if (esimsIn(mail.text).some(({ accountId }) => !mail.to.includes(emailOf.get(accountId) ?? '')))
      found.push({ subject: mail.to.join(), what: `"${mail.subject}" has the eSIM of somebody else` })
    if (mail.oneClick && !wanted.has(mail))
      found.push({ subject: mail.to.join(), what: `"${mail.subject}" is no promotion` })
    return found
  })
}
