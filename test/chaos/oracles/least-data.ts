/** Outside parties get no more than they may know: eSIM providers (P1), Stripe (P2), ad measurement (P3). */
import { createHash } from 'node:crypto'
import { createFinder } from './finder.ts'
import { type Acknowledgements, type Finding, type Oracle, type OutsideBooks, sum } from './record.ts'

/** Each person's data by kind, as parties could receive it: plain, or hashed as ad networks ask for it. */
function personalTexts({ people }: Acknowledgements): { name: string; text: string }[] {
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

function leaks(parties: readonly string[], { received }: OutsideBooks, said: Acknowledgements): Finding[] {
  const find = createFinder(personalTexts(said))
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

/** P1: eSIM providers get technical identifiers only. */
export const providersKnowNobody: Oracle = (books, said) => leaks(['esimAccess', 'airalo'], books, said)

/** P2: Stripe gets no name, address or number of a person, and no request of ours has card data. */
export const noCardData: Oracle = (books, said) => [
  ...leaks(['stripe'], books, said),
  ...books.received
    .filter(({ text }) => cardField.test(text))
    .map(({ party }) => ({ subject: party, what: 'received card data from us' })),
  ...books.mails
    .filter(({ text }) => /card number/i.test(text) && cardNumber.test(text))
    .map(({ subject }) => ({ subject, what: 'a mail has a card number' })),
]

/** P3: ad measurement gets purchases with consent alone, each once, and nobody's data. */
export const measurementIsLeast: Oracle = (books, said) => {
  const found = leaks(['meta', 'googleAnalytics'], books, said)
  const bought = said.orders.filter(({ adConsent, paidAt }) => adConsent && paidAt !== null).length
  for (const party of ['meta', 'google-analytics'] as const) {
    const texts = books.conversions.filter((conversion) => conversion.party === party).map(({ text }) => text)
    if (texts.length > bought)
      found.push({ subject: party, what: `${texts.length} purchases, ${bought} of them with consent` })
    const repeated = sum([texts.length, -new Set(texts).size])
    if (repeated > 0) found.push({ subject: party, what: `${repeated} purchases twice` })
  }
  return found
}
