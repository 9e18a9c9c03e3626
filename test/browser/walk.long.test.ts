/**
 * Each page's main and failing path, and each form that is refused (`page-table.ts`), in a real browser: in each
 * language, on a phone and a desktop, light and dark. A run takes two of the four screens in each language, by its
 * seed, which have both widths and both themes; `npm test -- --all test/browser` takes all of them.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Language, languages } from '../../messages/languages.ts'
import type { Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { seededInt } from '../harness/seed.ts'
import { accessibilityFaultsBy, copyInto } from './accessibility.ts'
import { startBrowser, type Watched } from './chromium.ts'
import { type Furnished, furnishOperator, furnishPerson } from './furnished.ts'
import { brokenWords, fits } from './look.ts'
import { operatorsForms, operatorsPages, peoplesForms, peoplesPages, type Visit, visitsOf } from './page-table.ts'
import { allLooks, go, type Look, nameOfLook, openAs, showAs, someLooks } from './ways.ts'

const all = process.env.TEST_ALL === '1'

interface Window extends Watched {
  /** has scripts */
  copy: Page
}

describe.skipIf(lacks('Chromium'))('each page in a browser (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  // Orders of erased people are in Stripe's state, and no longer in our database.
  const harness = await shareStack({ books: false })
  const site = harness.urls.api
  const shift = seededInt(0, 2)
  let browser: Browser
  const people = new Map<Language, Awaited<ReturnType<typeof furnishPerson>>>()
  let operator: Awaited<ReturnType<typeof furnishOperator>>
  beforeAll(async () => {
    browser = await startBrowser()
    for (const language of languages) people.set(language, await furnishPerson(harness, language))
    operator = await furnishOperator(harness)
  }, 300_000)
  afterAll(() => browser.close())

  /**
   * A window for a language, and one in which axe-core can run; a new one for each page would take longer than the
   * checks.
   */
  async function openWindow(language: Language, surfer?: Surfer): Promise<Window> {
    const [first] = allLooks([language])
    if (!first) throw new Error('nobody looks')
    const watched = await openAs(browser, site, first, surfer)
    return { ...watched, copy: await (await browser.newContext()).newPage() }
  }

  const windows = new Map<string, Promise<Window>>()
  function windowFor(language: Language, of: string, surfer?: Surfer): Promise<Window> {
    const key = `${language} ${surfer ? of : 'nobody'}`
    const opened = windows.get(key) ?? openWindow(language, surfer)
    windows.set(key, opened)
    return opened
  }

  /** Opens a page once, and checks it on each screen: no page is another one for another screen. */
  async function see<Paths>(
    { name, by, status, way }: Visit<Paths>,
    { surfer, paths }: Furnished<Paths>,
    language: Language,
    looks: readonly Look[],
  ): Promise<void> {
    const { path, sends, opens, ...how } = way(paths)
    const { page, faults, copy } = await windowFor(language, by, (how.by ?? by) === 'nobody' ? undefined : surfer)
    faults.length = 0
    const answer = await go(page, site, { path, ...(sends && { sends }), ...(opens && { opens }) })
    const named = `${name}, ${language}`
    expect(answer.status(), named).toBe(how.status ?? status)
    expect(await page.evaluate('document.documentElement.lang'), named).toBe(language)
    // Every page has a way on, beside the mark in its head.
    expect(await page.locator('main :is(a[href], button), header nav a[href]').count(), named).toBeGreaterThan(0)
    await copyInto(copy, page)
    for (const look of looks) {
      for (const shown of [page, copy]) await showAs(shown, look)
      expect(await fits(page), `${name}, ${nameOfLook(look)}, fits`).toBe(true)
      expect(await brokenWords(page), `${name}, ${nameOfLook(look)}, broken words`).toEqual([])
      expect(await accessibilityFaultsBy(copy, page), `${name}, ${nameOfLook(look)}`).toEqual([])
    }
    // The browser reports the answer to what was refused itself.
    expect(
      faults.filter((fault) => !/status of 4\d\d/.test(fault)),
      named,
    ).toEqual([])
  }

  const looksAt = (language: Language, at: number): Look[] =>
    all ? allLooks([language]) : someLooks([language], at + languages.indexOf(language) + shift)

  const ofPeople = visitsOf(peoplesPages, peoplesForms)
  test.each(ofPeople.map((visit, index) => [visit.name, visit, index] as const))('%s', async (_name, visit, index) => {
    for (const [language, person] of people) await see(visit, person, language, looksAt(language, index))
  })

  const ofOperators = visitsOf(operatorsPages, operatorsForms)
  test.each(ofOperators.map((visit, index) => [visit.name, visit, index] as const))(
    '%s',
    async (_name, visit, index) => {
      await see(visit, operator, 'en', looksAt('en', index))
    },
  )
})
