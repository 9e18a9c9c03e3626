import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { openWatched, startBrowser } from './chromium.ts'
import { look } from './look.ts'

describe.skipIf(lacks('Chromium'))('the install page in a browser (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  const harness = await shareStack()
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  test.each([{ dark: false }, { dark: true, narrow: true }])(
    'shows the eSIM as QR code, link and text: %o',
    async (screen) => {
      const person = await harness.signUp()
      const order = await harness.buy(person, { quantity: screen.narrow ? 2 : 1 })
      const { page, faults } = await openWatched(browser, harness.urls.api, screen)
      await page.goto(`${order.installUrl}?device=ios`)
      expect(await page.title()).toBe('Your eSIM for Germany · AMA eSIM')
      for (const esim of order.esims) {
        expect(await page.getByText(esim.matchingId, { exact: true }).isVisible()).toBe(true)
        expect(await page.getByText(esim.smdpAddress, { exact: true }).first().isVisible()).toBe(true)
      }
      expect(await page.evaluate("document.querySelector('img.qr').naturalWidth")).toBeGreaterThan(400)
      const link = page.getByRole('link', { name: 'Install on this iPhone' }).first()
      expect(await link.getAttribute('href')).toBe(order.esims[0].iosInstallUrl)
      await look(page, `install-${screen.dark}`)
      expect(faults).toEqual([])
    },
  )

  test('with scripts, each code has a button that copies it, also by the keyboard alone', async () => {
    const order = await harness.buy(await harness.signUp())
    const { page, faults } = await openWatched(browser, harness.urls.api, { narrow: true, scripts: true })
    await page.goto(`${order.installUrl}?device=ios`)
    expect(await page.getByRole('button', { name: /^Copy / }).count()).toBeGreaterThanOrEqual(4)
    const focused = () => page.evaluate<string | null>(`document.activeElement.getAttribute('aria-label')`)
    for (let tabs = 0; tabs < 40 && (await focused()) !== 'Copy Activation code of Your eSIM'; tabs += 1)
      await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('status').getByText('Copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(order.esims[0].matchingId)
    expect(faults).toEqual([])
  })
})
