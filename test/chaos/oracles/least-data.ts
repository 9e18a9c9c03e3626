/** Outside parties get no more than they may know: eSIM providers (P1), Stripe (P2), ad measurement (P3). */
import { createHash } from 'node:crypto'
import { createFinder } from './finder.ts'
import { type Acknowledgements, type Finding, type Oracle, type OutsideBooks, subjectsOf, sum } from './record.ts'

interface Telling {
  name: string
  text: string
}

/** Each person's data by kind, as parties could receive it: plain, or hashed as ad networks ask for it. */
function personalTexts({ people }: Acknowledgements): Telling[] {
  return people.flatMap(({ name, email, firstName, lastName, phone }) => {
    const texts = [email, firstName, lastName, ...(phone ? [phone.replace('+', '')] : [])]
    return [...texts, ...texts.flatMap(hashesOf)].map((text) => ({ name, text }))
  })
}

function hashesOf(text: string): string[] {
  const forms = new Set([text, text.toLowerCase(), `+${text}`])
  return [...forms].flatMap((form) =>
    (['sha256', 'sha1', 'md5'] as const).flatMap((algorithm) => {
      const hash = createHash(algorithm).update(form).digest()
      return [hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')]
    }),
  )
}

/** Ids by which a party could be told whose an order is, or how it was paid. */
const tellingIds = ({ payments }: OutsideBooks, { people, orders }: Acknowledgements): Telling[] => [
  ...payments.map(({ id }) => ({ name: id, text: id })),
  ...orders.map(({ name, orderId }) => ({ name, text: orderId })),
  ...people.flatMap((person) => {
    const { name, accountId, firebaseUid, deviceId, pushToken, appInstanceId } = person
    return [accountId, firebaseUid, ...subjectsOf(person), deviceId, pushToken, appInstanceId].map((text) => ({
      name,
      text,
    }))
  }),
]

function leaks(parties: readonly string[], { received }: OutsideBooks, texts: readonly Telling[]): Finding[] {
  const find = createFinder(texts)
  return received
    .filter(({ party }) => parties.includes(party))
    .flatMap(({ party, text }) =>
      find(`${text}\n${decoded(text)}`).map((each) => ({
        subject: each.name,
        what: `${party} received "${each.text}"`,
      })),
    )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

/** Test cards and any other number in groups of four. */
const cardNumber = /\b(?:\d{4}[ -]?){3}\d{4}\b/
const cardField = /card(?:\[|%5b|"?\s*:\s*\{\s*")(?:number|cvc)/i

/** P1: eSIM providers get technical identifiers only, and none by which ours could be found. */
export const providersKnowNobody: Oracle = (books, said) =>
  leaks(['esimAccess', 'airalo'], books, [...personalTexts(said), ...tellingIds(books, said)])

/** P2: Stripe gets no name, address or number of a person, and no request of ours has card data. */
export const noCardData: Oracle = (books, said) => [
  ...leaks(['stripe'], books, personalTexts(said)),
  ...books.received
    .filter(({ text }) => cardField.test(text))
    .map(({ party }) => ({ subject: party, what: 'received card data from us' })),
  ...books.mails
    .filter(({ text }) => /card number/i.test(text) && cardNumber.test(text))
    .map(({ subject }) => ({ subject, what: 'a mail has a card number' })),
]

/** P3: ad measurement gets purchases with consent alone, each once, and nobody's data. */
export const measurementIsLeast: Oracle = (books, said) => {
  const found = leaks(['meta', 'googleAnalytics'], books, personalTexts(said))
  // An order of an erased account may have been paid after it was seen for the last time.
  const paid = new Set(books.payments.filter(({ succeeded }) => succeeded).map(({ orderId }) => orderId))
  const bought = said.orders.filter(({ adConsent, orderId }) => adConsent && paid.has(orderId))
  for (const party of ['meta', 'google-analytics'] as const) {
    const ids = books.conversions.filter((conversion) => conversion.party === party).map(({ id }) => id)
    if (ids.length > bought.length)
      found.push({ subject: party, what: `${ids.length} purchases, ${bought.length} of them with consent` })
    const repeated = sum([ids.length, -new Set(ids).size])
    if (repeated > 0) found.push({ subject: party, what: `${repeated} purchases twice` })
  }
  const ofInstance = new Map<string, number>()
  for (const { instance } of books.conversions)
    if (instance !== null) ofInstance.set(instance, (ofInstance.get(instance) ?? 0) + 1)
  for (const { name, accountId, appInstanceId } of said.people) {
    const told = ofInstance.get(appInstanceId) ?? 0
    const own = bought.filter((order) => order.accountId === accountId).length
    if (told > own) found.push({ subject: name, what: `${told} purchases are measured, and ${own} may be` })
  }
  return found
}
