/**
 * The right to withdraw from the contract of an order.
 *
 * - Directive 2011/83/EU, Article 9: 14 days from the conclusion of a contract for services or for digital content that
 *   is not supplied on a tangible medium. Article 13(1): the money goes back within 14 days of the withdrawal, by the
 *   means of payment. Article 16, points (a) and (m): the right ends with the performance if the consumer has agreed to
 *   it beforehand and acknowledged that. Article 8(7): the trader confirms both on a durable medium.
 * - Article 11a, inserted by Directive (EU) 2023/2673 (http://data.europa.eu/eli/dir/2023/2673/oj), from 19 June 2026:
 *   a withdrawal function, a statement with the consumer's name, the contract and the electronic means of confirmation,
 *   a confirmation function, and an acknowledgement on a durable medium with content, date and time.
 * - Regulation (EEC, Euratom) No 1182/71, Article 3: the day of the event does not count, and a period that ends on a
 *   Saturday, Sunday or public holiday ends with the next working day. Public holidays differ by country: the period
 *   has days more for them (docs/decisions/0350-a-margin-for-public-holidays.md).
 */

/** Texts of the consent that is shown before an order, by version. A version never changes. */
export const performanceConsents: Readonly<Record<string, string>> = {
  '2026-06-19':
    'I want my eSIM at once, before the withdrawal period of 14 days has ended. I know that I lose my right of withdrawal when I install or use it.',
  '2026-11-29-en':
    'I want delivery at once, before the withdrawal period of 14 days has ended. I know that I lose my right of withdrawal when I install or use what I have bought.',
  '2026-11-29-de':
    'Ich möchte die Lieferung sofort, vor Ablauf der Widerrufsfrist von 14 Tagen. Mir ist bekannt, dass mein Widerrufsrecht erlischt, sobald ich das Gekaufte installiere oder nutze.',
  '2026-11-29-sq':
    'E dua dorëzimin menjëherë, para përfundimit të afatit të tërheqjes prej 14 ditësh. E di se e humb të drejtën e tërheqjes kur e instaloj ose e përdor atë që kam blerë.',
}

/** The versions in force, by the language in which they are shown. */
export const consentsInForce = {
  en: '2026-11-29-en',
  de: '2026-11-29-de',
  sq: '2026-11-29-sq',
} as const

/** The language of a consent's text; the first version was in English alone. */
export function languageOfConsent(version: string): keyof typeof consentsInForce {
  if (version.endsWith('-de')) return 'de'
  return version.endsWith('-sq') ? 'sq' : 'en'
}
