import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { accessibilityFaults } from './accessibility.ts'

/** Whether a screen of this width need not scroll sideways. */
export const fits = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')

/**
 * The page fits the screen's width, so that a phone does not scroll sideways, and has no accessibility fault. It is
 * photographed into the folder `SCREENSHOTS`, if there is one.
 */
export async function look(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true })
  expect(await fits(page), name).toBe(true)
  expect(await accessibilityFaults(page), name).toEqual([])
}
