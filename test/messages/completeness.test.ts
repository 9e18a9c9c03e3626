/** Every text is there in every language. Each check also finds a fault that is planted. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { problems } from '../../api/http/problems.ts'
import { defaultLanguage, languages } from '../../messages/languages.ts'
import { allMessages, textsOf } from '../../messages/texts.ts'
import { tableOf } from '../../shared/keys-of.ts'
import { faultsOf, flat, literalsOf, unusedKeys } from './message-faults.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const messages = tableOf(languages, (language) => flat(allMessages[language]))

async function sourcesIn(folder: string): Promise<string[]> {
  const files = (await readdir(join(root, folder), { recursive: true })).filter((file) => /\.tsx?$/.test(file))
  const sources = files.filter((file) => folder !== 'messages' || !file.includes('/'))
  return Promise.all(sources.map((file) => readFile(join(root, folder, file), 'utf8')))
}
const sources = (await Promise.all(['activities', 'api', 'mails', 'messages'].map(sourcesIn))).flat()

test('every message is there in every language, with the same arguments', () => {
  expect(Object.keys(messages.en).length).toBeGreaterThan(5)
  expect(faultsOf(messages)).toEqual([])
})

test('every message of the message files is used', () => {
  expect(unusedKeys(Object.keys(messages.en), Object.keys(allMessages.en), sources)).toEqual([])
})

/** Words that are the same in two languages, and names. */
const alike = new Set([
  'de order.withdrawal.name',
  'de install.short',
  ...languages
    .filter((language) => language !== defaultLanguage)
    .flatMap((language) => ['stripe', 'firebase'].map((step) => `${language} deletion.step.${step}`)),
])

test('no message of a language is left in English', () => {
  const left = languages.slice(1).flatMap((language) =>
    Object.entries(messages[language]).flatMap(([key, text]) => {
      const words = literalsOf(text)
        .join('')
        .replaceAll(/[^\p{L}]/gu, '')
      const isSame = text === messages.en[key] && words !== ''
      return isSame && !alike.has(`${language} ${key}`) ? [`${language} ${key}: ${text}`] : []
    }),
  )
  expect(left).toEqual([])
})

test('a missing, surplus, empty, broken and unused message is found, and so is another argument', () => {
  const en = { 'a.one': 'One {place}', 'a.two': '<link>Two</link>', 'a.many': '{n, plural, one {# x} other {# {y}}}' }
  expect(faultsOf({ en, de: { ...en } })).toEqual([])
  const faults = (de: Record<string, string>) => faultsOf({ en, de: { ...en, ...de } })
  expect(faultsOf({ en, de: { 'a.one': 'Eins {place}', 'a.many': en['a.many'] } })).toEqual(['de a.two: missing'])
  expect(faults({ 'a.three': 'Drei' })).toEqual(['de a.three: surplus'])
  expect(faults({ 'a.two': '<link>Zwei' })).toEqual(['de a.two: no ICU message'])
  expect(faults({ 'a.one': 'Eins' })).toEqual(['de a.one: has no arguments, and en place (argument)'])
  expect(faults({ 'a.one': 'Eins {platz}' })).toHaveLength(1)
  expect(faults({ 'a.one': 'Eins {place, number}' })).toHaveLength(1)
  expect(faults({ 'a.two': '<Link>Zwei</Link>' })).toHaveLength(1)
  expect(faults({ 'a.many': '{n, plural, one {# x} other {# y}}' })).toHaveLength(1)
  expect(faultsOf({ en: { 'a.b': 'x' }, de: { 'a.b': ' ' } })).toEqual(['de a.b: empty'])

  // biome-ignore lint/suspicious/noTemplateCurlyInString: a piece of a source
  const source = "t('a.one'); t(`a.cause.${of[cause]}.text`); t(`a.last.${x}`)"
  const keys = ['a.one', 'a.two', 'a.cause.late.text', 'a.cause.late.title', 'a.last.one', 'a.last.one.more']
  expect(unusedKeys(keys, ['a'], [source])).toEqual(['a.two', 'a.cause.late.title', 'a.last.one.more'])
})

test('the title of each problem is the one of its definition', () => {
  const titles = Object.entries(problems).map(([code, { title }]) => [code, title])
  expect(Object.fromEntries(titles)).toEqual(allMessages.en.problem)
})

test('several countries, as an order stores them, are counted in the language', () => {
  expect(languages.map((language) => textsOf(language).place('39 countries'))).toEqual([
    '39 countries',
    '39 Länder',
    '39 shtete',
  ])
  expect(textsOf('de').place('DE')).toBe('Deutschland')
})
