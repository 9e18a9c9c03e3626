/** No page is missing in the table from which browser tests and screenshots are made. */
import { expect, test } from 'vitest'
import { languages } from '../../messages/languages.ts'
import { shareStack } from '../harness/harness.ts'
import { notInTheTable, operatorsPages, peoplesPages } from './page-table.ts'
import { allLooks, screens, someLooks, themes } from './ways.ts'

const harness = await shareStack()
const { body: document } = await harness.anonymous.get('/openapi.json')
const cases = [...peoplesPages, ...operatorsPages]

test('each page that can be opened has its main and its failing path in the table', () => {
  const pages = Object.entries<Record<string, { responses: Record<string, { content?: object }> }>>(
    document.paths,
  ).flatMap(([path, methods]) => ('text/html' in (methods.get?.responses['200']?.content ?? {}) ? [`GET ${path}`] : []))
  expect(pages.length).toBeGreaterThan(40)
  const shown = new Set(cases.map(({ route }) => route))
  expect(pages.filter((page) => !shown.has(page) && !(page in notInTheTable))).toEqual([])
  expect([...shown].filter((route) => route.startsWith('GET ') && !pages.includes(route))).toEqual([])
})

test('a page without a failing path of its own is shown failing by another row', () => {
  for (const { name, failing } of cases) {
    if (typeof failing !== 'string') continue
    const other = cases.find((each) => failing === `as ${each.name}`)
    expect(typeof other?.failing, name).toBe('function')
  }
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
})

test('whatever the seed draws, a page is looked at in each language, width and theme', () => {
  for (let at = 0; at < 48; at += 1) {
    for (const spoken of [languages, ['en'] as const]) {
      const looks = someLooks(spoken, at)
      expect(new Set(looks.map(({ language }) => language))).toEqual(new Set(spoken))
      expect(new Set(looks.map(({ screen }) => screen))).toEqual(new Set(screens))
      expect(new Set(looks.map(({ theme }) => theme))).toEqual(new Set(themes))
    }
  }
  const drawn = Array.from({ length: 48 }, (_, at) => someLooks(languages, at)).flat()
  expect(new Set(drawn.map((look) => JSON.stringify(look))).size).toBe(allLooks(languages).length)
})
