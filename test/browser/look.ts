import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { accessibilityFaults } from './accessibility.ts'

/** Whether a screen of this width need not scroll sideways. */
export const fits = (page: Page): Promise<boolean> =>
  page.evaluate<boolean>('document.documentElement.scrollWidth <= document.documentElement.clientWidth')

/**
 * Words of buttons, marks and headings that are broken over two lines, as "Installiere n" was: such a text is short,
 * and its place has to be as wide as its longest word. Codes, paths and numbers are no words.
 */
export const brokenWords = (page: Page): Promise<string[]> => page.evaluate<string[]>(`(${wordsOnTwoLines})()`)

// This code runs in the page: it has no imports and no types.
const wordsOnTwoLines = `() => {
  const found = []
  const visible = { checkVisibilityCSS: true, checkOpacity: true }
  for (const element of document.querySelectorAll('button, .button, .badge, nav a, h1, h2, h3, th, dt, label, summary')) {
    if (!element.checkVisibility(visible)) continue
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      if (node.parentElement.closest('code')) continue
      for (const match of node.data.matchAll(/\\p{L}+/gu)) {
        // A part of a path, or the name of a type.
        if (/[/{_]/.test(node.data[match.index - 1] ?? '') || /\\p{Ll}\\p{Lu}/u.test(match[0])) continue
        const range = document.createRange()
        range.setStart(node, match.index)
        range.setEnd(node, match.index + match[0].length)
        const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)))
        if (lines.size > 1) found.push(match[0])
      }
    }
  }
  return found
}`

/**
 * The page fits the screen's width, so that a phone does not scroll sideways, and has no accessibility fault. It is
 * photographed into the folder `SCREENSHOTS`, if there is one.
 */
export async function look(page: Page, name: string): Promise<void> {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png`, fullPage: true })
  expect(await fits(page), name).toBe(true)
  expect(await accessibilityFaults(page), name).toEqual([])
}
