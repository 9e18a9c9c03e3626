/** No page is missing in the table from which browser tests and screenshots are made. */
import { expect, test } from 'vitest'
import { languages } from '../../messages/languages.ts'
import { shareStack } from '../harness/harness.ts'
import { notInTheTable, operatorsForms, operatorsPages, peoplesForms, peoplesPages, visitsOf } from './page-table.ts'
import { allLooks, nameOfLook, screens, someLooks, themes } from './ways.ts'

const harness = await shareStack()
const { body: document } = await harness.anonymous.get('/openapi.json')
const cases = [...peoplesPages, ...operatorsPages]
const forms = [...peoplesForms, ...operatorsForms]

interface Operation {
  requestBody?: { content: object }
  responses: Record<string, { content?: object }>
}
/** The paths of the document with their methods. */
const paths = Object.entries<Record<string, Operation>>(document.paths)
const isHtml = (response: { content?: object } | undefined): boolean => 'text/html' in (response?.content ?? {})

test('each page that can be opened has its main and its failing path in the table', () => {
  const pages = paths.flatMap(([path, { get }]) => (isHtml(get?.responses['200']) ? [`GET ${path}`] : []))
  expect(pages.length).toBeGreaterThan(40)
  const shown = new Set(cases.map(({ route }) => route))
  expect(pages.filter((page) => !shown.has(page) && !(page in notInTheTable))).toEqual([])
  expect([...shown].filter((route) => route.startsWith('GET ') && !pages.includes(route))).toEqual([])
})

test('each form that can be sent is refused in the table', () => {
  const isForm = ({ requestBody, responses }: Operation): boolean =>
    'application/x-www-form-urlencoded' in (requestBody?.content ?? {}) && Object.values(responses).some(isHtml)
  const sent = paths.flatMap(([path, { post }]) => (post && isForm(post) ? [`POST ${path}`] : []))
  expect(sent.length).toBeGreaterThan(30)
  const refused = [...cases.flatMap(({ refuses = [] }) => refuses), ...forms.map(({ route }) => route)]
  expect(sent.filter((form) => !refused.includes(form) && !(form in notInTheTable))).toEqual([])
  expect(refused.filter((form) => !sent.includes(form))).toEqual([])
})

test('each route that the table of pages leaves out exists, and is not in the table', () => {
  const known = paths.flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const shown = new Set(
    [...cases, ...forms].flatMap(({ route, ...row }) => [route, ...('refuses' in row ? (row.refuses ?? []) : [])]),
  )
  for (const [route, reason] of Object.entries(notInTheTable)) {
    expect(reason, route).toMatch(/\w+ \w+/)
    expect(shown.has(route), route).toBe(false)
    expect(known.includes(route), route).toBe(true)
  }
})

test('a page without a failing path of its own is shown failing by another row', () => {
  for (const { name, failing } of cases) {
    if (typeof failing !== 'string') continue
    const other = cases.find((each) => failing === `as ${each.name}`)
    expect(typeof other?.failing, name).toBe('function')
  }
  const seen = [...visitsOf(peoplesPages, peoplesForms), ...visitsOf(operatorsPages, operatorsForms)]
  expect(new Set(seen.map(({ name }) => name)).size).toBe(seen.length)
})

test('whatever the seed draws, a page is looked at in each language, on both widths and in both themes', () => {
  for (const at of [0, 1]) {
    for (const language of languages) {
      const looks = someLooks([language], at)
      expect(new Set(looks.map(({ screen }) => screen))).toEqual(new Set(screens))
      expect(new Set(looks.map(({ theme }) => theme))).toEqual(new Set(themes))
    }
  }
  const drawn = [0, 1].flatMap((at) => someLooks(languages, at))
  expect(new Set(drawn.map(nameOfLook)).size).toBe(allLooks(languages).length)
})
