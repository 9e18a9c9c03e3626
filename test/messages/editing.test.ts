/** What an editor of each language looks for: quotes, spaces, plurals, the form of address, one term for a thing. */
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser'
import { expect, test } from 'vitest'
import { type Language, languages, locales } from '../../messages/languages.ts'
import { allMessages, textsOf } from '../../messages/texts.ts'
import { type Flat, flat, literalsOf } from './message-faults.ts'

const quotes: Readonly<Record<Language, readonly [string, string]>> = {
  en: ['“', '”'],
  de: ['„', '“'],
  sq: ['„', '”'],
}

/** Words that another word stands for everywhere, that address a friend, or whose letters lack their signs. */
const refused: Readonly<Record<Language, readonly (readonly [RegExp, string])[]>> = {
  en: [[/(?<!e-)\bmails?\b(?! server)/i, 'e-mail']],
  de: [
    [/\b(?:du|dich|dir|dein\w*|euch|euer|eure\w*)\b/i, 'Sie'],
    [/\b(?:fuer|ueber|koennen|moechten|waehlen|oeffnen)\b/i, 'ü, ö, ä'],
    [/\b(?:Handys?|Smartphones?)\b/, 'Telefon'],
    [/(?<!E-)\bMails?\b/, 'E-Mail'],
    [/\bSicherung(?:en)?\b/, 'Sicherungskopie'],
    [/\bAnfragen? zum Datenschutz\b/, 'Datenschutzanfrage'],
    [/nimmt kein weiteres Datenvolumen/, 'kann nicht aufgeladen werden'],
    [/ganzes Datenvolumen ist verbraucht|^Datenvolumen verbraucht$/, 'aufgebraucht'],
    [/„Netzwerk und Internet“/, '„Netzwerk & Internet“, as Android names it'],
  ],
  sq: [
    [/(?<!\p{L})(?:ti|ty|yt|jote|tënde?)(?!\p{L})/iu, 'ju'],
    [
      /^(?:Kalo|Shto|Hap|Kliko|Shiko|Provo|Prek|Zgjidh|Shkarko|Instalo|Kthe|Ruaj|Dil|Fshi|Hiq|Anulo|Kopjo|Dërgo|Shkruaj)(?!\p{L})/u,
      'the plural, as in Kaloni',
    ],
    [/(?<!\p{L})(?:eshte|nje|asnje|per|kete|jane|cdo|cfare|cmimi?)(?!\p{L})/iu, 'ë, ç'],
    [/avion/, 'modaliteti i aeroplanit'],
    [/seanc/, 'sesion'],
    [/rindiz/, 'rinisni'],
    [/harxhua/, 'përdorur'],
    [/(?<!\p{L})çka(?!\p{L})/u, 'gjë që'],
    [/eSIM të rinj|gjeni të rinj/, 'eSIM-e të reja'],
    [/\d shkronja/, 'karaktere'],
    [/[Çç]regjistro/, 'ndaloni ofertat'],
  ],
}

function faultsOf(language: Language, messages: Flat): string[] {
  const [open, close] = quotes[language]
  return Object.entries(messages).flatMap(([key, message]) => {
    const text = literalsOf(message).join('X')
    const unquoted = text.replaceAll(new RegExp(`${open}[^${close}]*${close}`, 'g'), '')
    return [
      ...(/["'`´«»]/.test(text) ? ['a quote or apostrophe of a typewriter'] : []),
      ...(/[“”„]/.test(unquoted) ? [`a quote that is not ${open}…${close}`] : []),
      ...(/ [,.:;!?%]| {2}| [-–—] /.test(text) ? ['a space that is too much, or breaks'] : []),
      ...counted(parse(message)).map((noun) => `a number with "${noun}", and no plural`),
      ...refused[language].flatMap(([wrong, right]) => (wrong.test(text) ? [`not ${right}`] : [])),
    ].map((fault) => `${language} ${key}: ${fault}`)
  })
}

/** What follows a number that has no plural form: "1 days". Of "eSIM 1 of 2" nothing is counted. */
function counted(elements: readonly MessageFormatElement[]): string[] {
  return elements.flatMap((element, index) => {
    if (element.type === TYPE.tag) return counted(element.children)
    const next = elements[index + 1]
    if (element.type !== TYPE.number || next?.type !== TYPE.literal) return []
    const [, word = ''] = /^[ \u00a0](\p{L}+)/u.exec(next.value) ?? []
    return word === '' || ['of', 'von', 'nga'].includes(word) ? [] : [word]
  })
}

test.each(languages)('an editor finds nothing in the texts in %s', (language) => {
  expect(faultsOf(language, flat(allMessages[language]))).toEqual([])
})

test('each fault is found where it is planted', () => {
  const planted: Readonly<Record<Language, Flat>> = {
    en: { a: 'Say "yes"', b: 'A mail', c: 'For {n, number} days', d: '80 % is used', e: '<b>{n, number} days</b>' },
    de: { a: 'Tippen Sie auf “Ja”', b: 'Öffne dein Postfach', c: 'Die Sicherung fehlt', d: 'Eine Mail' },
    sq: { a: 'Shto një eSIM', b: 'Kjo eshte', c: 'Prekni „Po“', d: 'ky eSIM yt', e: 'më {n, number} ditë' },
  }
  for (const language of languages) {
    const found = faultsOf(language, planted[language])
    for (const key of Object.keys(planted[language])) expect(found.join('\n')).toContain(`${language} ${key}: `)
  }
  const good = {
    a: '„Shto eSIM” në telefon',
    b: 'eSIM-i {n, number} nga {m, number}',
    c: '{n, plural, other {# ditë}}',
  }
  expect(faultsOf('sq', good)).toEqual([])
})

test('percents are written as Unicode CLDR writes them in each language, and no line ends within an amount', () => {
  for (const language of languages) {
    const percent = new Intl.NumberFormat(locales[language], { style: 'percent' }).format(0.8)
    const { t, dataAmount } = textsOf(language)
    expect(t('push.esim.low_data.title'), language).toContain(percent)
    expect(t('order.esim.low_data.subject', { place: 'X' }), language).toContain(percent)
    expect(t('purchase.invoice.vat', { percent: 80 }), language).toContain(percent)
    expect([1.5 * 2 ** 30, 2 ** 20, 1].map(dataAmount).join(), language).not.toMatch(/\d [A-Z]B/)
  }
})
