/** What the walk looks for is found, and the rows of buttons of the style sheet have room for the words of each language. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { style } from '../../api/pages/style.ts'
import { languages } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { lacks } from '../harness/optional/optional.ts'
import { startBrowser, viewportOf } from './chromium.ts'
import { brokenWords } from './look.ts'

describe.skipIf(lacks('Chromium'))('words on two lines (skipped without Chromium)', () => {
  let browser: Browser
  let page: Page
  beforeAll(async () => {
    browser = await startBrowser()
    page = await browser.newPage({ viewport: viewportOf({ narrow: true }) })
  })
  afterAll(() => browser.close())

  test('a word of a button that is broken is found, and a line that ends between words is none', async () => {
    const narrow = 'style="display:block;overflow-wrap:anywhere;width:4rem"'
    await page.setContent(
      `<button ${narrow}>Installieren</button><button ${narrow}>eSIM an</button><p ${narrow}>Installieren`,
    )
    expect(await brokenWords(page)).toEqual(['Installieren'])
  })

  test.each(languages)('the buttons of an eSIM on a phone hold their words in %s', async (language) => {
    const { t } = textsOf(language)
    const links = (['install', 'codes', 'addData', 'order'] as const).map((name) => t(`account.esims.${name}`))
    const acts = links.map((words) => `<a class="button plain" href="#">${words}</a>`).join('\n')
    const form = '<form class="inline"><button>Start: apologise 4000 orders</button></form>'
    await page.setContent(`<style>${style}</style><main><section class="card"><p class="acts">${acts}</p>
      <div class="acts">${form} <a class="button plain" href="#">Cancel</a></div></section></main>`)
    expect(await brokenWords(page)).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360)
  })
})
