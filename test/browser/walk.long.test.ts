/**
 * Each page's main and failing path (`page-table.ts`) in a real browser: in each language, on a phone and a desktop, light and
 * dark. A run takes looks by its seed that have each of these; `npm test -- --all test/browser` takes all of them.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { languages } from '../../messages/languages.ts'
import { shareStack } from '../harness/harness.ts'
import { seededInt } from '../harness/seed.ts'
import { hasBrowser, startBrowser } from './chromium.ts'
import { type Furnished, furnishOperator, furnishPerson } from './furnished.ts'
import { look } from './look.ts'
import { operatorsPages, type PageCase, peoplesPages, type Way } from './page-table.ts'
import { allLooks, go, type Look, nameOfLook, openAs, someLooks } from './ways.ts'

const all = process.env.TEST_ALL === '1'

describe.skipIf(!hasBrowser)('each page in a browser', async () => {
  if (!hasBrowser) return
  // Orders of erased people are in Stripe's state, and no longer in our database.
  const harness = await shareStack({ books: false })
  const site = harness.urls.api
  const shift = seededInt(0, 48)
  let browser: Browser
  const people = new Map<string, Awaited<ReturnType<typeof furnishPerson>>>()
  let operator: Awaited<ReturnType<typeof furnishOperator>>
  beforeAll(async () => {
    browser = await startBrowser()
    for (const language of languages) people.set(language, await furnishPerson(harness, language))
    operator = await furnishOperator(harness)
  })
  afterAll(() => browser.close())

  /** Goes one way of a page, and looks at what is shown. */
  async function see<Paths>(
    { by }: Pick<PageCase<Paths>, 'by'>,
    of: Furnished<Paths>,
    way: Way,
    { look: seen, name, status }: { look: Look; name: string; status: number },
  ): Promise<void> {
    const who = (way.by ?? by) === 'nobody' ? undefined : of.surfer
    const { page, faults } = await openAs(browser, site, seen, who)
    try {
      const answer = await go(page, site, way)
      expect(answer.status(), name).toBe(way.status ?? status)
      expect(await page.evaluate('document.documentElement.lang'), name).toBe(seen.language)
      // Every page has a way on, beside the mark in its head.
      expect(await page.locator('main :is(a[href], button), header nav a[href]').count(), name).toBeGreaterThan(0)
      await look(page, name)
      // The browser reports the answer to what was refused itself.
      expect(
        faults.filter((fault) => !/status of 4\d\d/.test(fault)),
        name,
      ).toEqual([])
    } finally {
      await page.context().close()
    }
  }

  async function walk<Paths>(one: PageCase<Paths>, looks: readonly Look[], ofLook: (look: Look) => Furnished<Paths>) {
    for (const each of looks) {
      const of = ofLook(each)
      const name = `${one.name} ${nameOfLook(each)}`
      await see(one, of, one.main(of.paths), { look: each, name, status: 200 })
      if (typeof one.failing === 'string') continue
      await see(one, of, one.failing(of.paths), { look: each, name: `${name}, failing`, status: 404 })
    }
  }

  test.each(peoplesPages.map((page, index) => [page.name, page, index] as const))('%s', async (_name, page, index) => {
    const looks = all ? allLooks(languages) : someLooks(languages, index + shift)
    await walk(page, looks, ({ language }) => {
      const of = people.get(language)
      if (!of) throw new Error(`nobody speaks ${language}`)
      return of
    })
  })

  test.each(operatorsPages.map((page, index) => [page.name, page, index] as const))(
    '%s',
    async (_name, page, index) => {
      await walk(page, all ? allLooks(['en']) : someLooks(['en'], index + shift), () => operator)
    },
  )
})
