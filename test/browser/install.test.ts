import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { accessibilityFaults } from './accessibility.ts'
import { fits, hasBrowser, openWatched, startBrowser } from './chromium.ts'

describe.skipIf(!hasBrowser)('the install page in a browser', async () => {
  if (!hasBrowser) return
  const harness = await openHarness()
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  test.each([{ dark: false }, { dark: true, narrow: true }])(
    'shows the eSIM as QR code, link and text: %o',
    async (look) => {
      const person = await harness.signUp()
      const order = await harness.buy(person, { quantity: look.narrow ? 2 : 1 })
      const { page, faults } = await openWatched(browser, harness.urls.api, look)
      await page.goto(`${order.installUrl}?device=ios`)
      if (process.env.SCREENSHOTS)
        await page.screenshot({ path: `${process.env.SCREENSHOTS}/install-${look.dark}.png`, fullPage: true })
      expect(await page.title()).toBe('Your eSIM for Germany · AMA eSIM')
      for (const esim of order.esims) {
        expect(await page.getByText(esim.matchingId, { exact: true }).isVisible()).toBe(true)
        expect(await page.getByText(esim.smdpAddress, { exact: true }).first().isVisible()).toBe(true)
      }
      expect(await page.evaluate("document.querySelector('img.qr').naturalWidth")).toBeGreaterThan(400)
      const link = page.getByRole('link', { name: 'Install on this iPhone' }).first()
      expect(await link.getAttribute('href')).toBe(order.esims[0].iosInstallUrl)
      expect(await fits(page)).toBe(true)
      expect(await accessibilityFaults(page)).toEqual([])
      expect(faults).toEqual([])
    },
  )
})
