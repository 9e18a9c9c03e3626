/**
 * Mails and pushes reach the person's address and devices (C4, P4, P5), each once (U3); promotions go to those alone
 * who asked for them, and stop when they no longer do (U4, G4).
 */
import type { Acknowledgements, Finding, Mail, Oracle, OutsideBooks, Person } from './record.ts'

/** A message that was on its way when something was acknowledged may still arrive. */
const underWayMs = 15_000

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

/** Different mails: copies with one Message-ID count once. */
export const distinct = (mails: readonly Mail[]): Mail[] => [
  ...new Map(mails.map((mail) => [`${mail.messageId} ${mail.to}`, mail])).values(),
]

/** U3: each order has one confirmation, and no message comes twice. */
export const messagesComeOnce: Oracle = (books, said) => {
  const found: Finding[] = []
  for (const person of said.people) {
    if (person.deletion || person.inactive) continue
    const confirmations = distinct(mailsOf(books, person).filter(({ hasQrCode }) => hasQrCode)).length
    // An order that is refunded while its eSIMs are made shows them, and was never delivered.
    const delivered = said.orders.filter(
      ({ accountId, deliveredAt, isTopUp }) => accountId === person.accountId && deliveredAt !== null && !isTopUp,
    ).length
    if (confirmations !== delivered)
      found.push({ subject: person.name, what: `${confirmations} confirmations of ${delivered} orders` })
  }
  found.push(...repeatedMails(books, said))
  found.push(...repeatedPushes(books, said))
  return found
}

/** A mail comes again only if a crash or a lost reply lay between: a duplicate is better than none. */
function repeatedMails({ mails, lostMailReplies }: OutsideBooks, { crashes }: Acknowledgements): Finding[] {
  const before = new Map<string, Mail>()
  return mails.flatMap((mail) => {
    const key = `${mail.messageId} ${mail.to}`
    const first = before.get(key)
    before.set(key, mail)
    if (!first) return []
    const isExcused =
      crashes.some(({ from, until }) => until >= first.at && from <= mail.at) ||
      lostMailReplies.some(({ at, to }) => mail.to.includes(to) && at >= first.at - 1_000 && at <= mail.at)
    return isExcused ? [] : [{ subject: mail.to.join(), what: `"${mail.subject}" comes twice` }]
  })
}

/** A push comes again only after a lost reply, or a crash: FCM cannot be asked, and the second replaces the first. */
function repeatedPushes({ pushes, pushAttempts }: OutsideBooks, { crashes }: Acknowledgements): Finding[] {
  const before = new Map<string, number>()
  return pushes.flatMap(({ token, content, at }) => {
    const key = `${token} ${content}`
    const first = before.get(key)
    before.set(key, at)
    if (first === undefined) return []
    const isExcused =
      crashes.some(({ from, until }) => until >= first && from <= at) ||
      pushAttempts.some((attempt) => attempt.token === token && attempt.lost && attempt.at <= at)
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

/** C4: a token that FCM calls unregistered is used no more. */
export const staleTokensAreDropped: Oracle = ({ pushAttempts, unregistered }) =>
  unregistered
    .filter(({ token, at }) => pushAttempts.some((push) => push.token === token && push.at > at + underWayMs))
    .map(({ token }) => ({ subject: token, what: 'pushed to after FCM called it unregistered' }))

/** P4: pushes go to registered devices alone, and to none of an erased account. */
export const pushesGoToDevices: Oracle = ({ pushes }, { people }) =>
  pushes.flatMap(({ token, at }) => {
    const person = people.find(({ pushToken }) => pushToken === token)
    if (!person) return [{ subject: token, what: 'a push to a device that nobody has registered' }]
    const isLate = person.deletion !== null && at > person.deletion.at + underWayMs
    return isLate ? [{ subject: person.name, what: 'a push after the deletion' }] : []
  })

/** P5: each mail has one recipient, whom the API knows; only promotions offer to unsubscribe. */
export const mailGoesToItsPerson: Oracle = (books, said) => {
  const known = new Set([
    ...said.people.map(({ email }) => email),
    ...said.privacyRequests.map(({ replyTo }) => replyTo),
  ])
  const wanted = new Set(promotions(books, said))
  return books.mails.flatMap((mail) => {
    const strange = mail.to.filter((to) => !known.has(to) && !to.startsWith('support@'))
    const found: Finding[] = []
    if (mail.to.length !== 1) found.push({ subject: mail.to.join(), what: `"${mail.subject}" has several recipients` })
    if (strange.length > 0)
      found.push({ subject: strange.join(), what: `"${mail.subject}" went to an unknown address` })
    if (mail.oneClick && !wanted.has(mail))
      found.push({ subject: mail.to.join(), what: `"${mail.subject}" is no promotion` })
    return found
  })
}
