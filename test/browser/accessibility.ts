/**
 * Accessibility of pages, for people who cannot see or use no mouse: the parts of WCAG 2.2 that a program can check
 * (https://www.w3.org/TR/WCAG22/): names, headings, landmarks, table headers, contrast. axe-core knows most rules; the
 * rest is ours.
 */
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'

/** The accessibility faults of the current page. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const browser = page.context().browser()
  if (!browser) throw new Error('the page belongs to no browser')
  const isDark = await page.evaluate<boolean>(`matchMedia('(prefers-color-scheme: dark)').matches`)
  const context = await browser.newContext({ colorScheme: isDark ? 'dark' : 'light', viewport: page.viewportSize() })
  try {
    const copy = await context.newPage()
    await copyInto(copy, page)
    return await accessibilityFaultsBy(copy, page)
  } finally {
    await context.close()
  }
}

/** Shows a page once more in one with scripts: without them axe-core never comes to an end. */
export async function copyInto(copy: Page, page: Page): Promise<void> {
  await copy.setContent(await page.content())
  await copy.evaluate(axe.source)
}

/** The faults that axe-core does not know. */
const ownFaults = (page: Page): Promise<string[]> => page.evaluate<string[]>(`(${inPage})()`)

/** The accessibility faults of a page by a copy (`copyInto`) that is shown on the same screen. */
export const accessibilityFaultsBy = async (copy: Page, page: Page): Promise<string[]> => [
  ...(await ownFaults(page)),
  ...(await axeFaults(copy)),
]

/** @param page axe-core is loaded in it */
async function axeFaults(page: Page): Promise<string[]> {
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    `axe.run({ resultTypes: ['violations'] })`,
  )
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))
}

/** The accessibility faults of each page, by its name. */
export async function faultsOfPages(
  browser: Browser,
  pages: ReadonlyMap<string, string>,
): Promise<Record<string, string[]>> {
  const context = await browser.newContext({ viewport: { width: 360, height: 740 } })
  const found: Record<string, string[]> = {}
  try {
    const page = await context.newPage()
    for (const [name, html] of pages) {
      await page.setContent(html)
      await page.evaluate(axe.source)
      const faults = await accessibilityFaultsBy(page, page)
      if (faults.length > 0) found[name] = faults
    }
    return found
  } finally {
    await context.close()
  }
}

// This code runs in the page: it has no imports and no types.
const inPage = `() => {
  const faults = []
  const all = (selector) => [...document.querySelectorAll(selector)]
  const say = (fault, element) => faults.push(fault + (element ? ': ' + element.outerHTML.slice(0, 120) : ''))

  if (!document.documentElement.lang) say('no language')
  if (!document.title) say('no title')
  if (all('h1').length !== 1) say('not one h1')
  if (all('main').length !== 1) say('not one main')
  if (!document.querySelector('meta[name=viewport]')) say('no viewport')
  all('h1, h2, h3, h4').reduce((level, heading) => {
    const own = Number(heading.tagName[1])
    if (own > level + 1) say('a heading skips a level', heading)
    return own
  }, 0)
  for (const field of all('input:not([type=hidden]), select, textarea')) {
    if (field.labels.length === 0 && !field.getAttribute('aria-label')) say('a field without a label', field)
  }
  for (const control of all('a[href], button, summary')) {
    if (!(control.getAttribute('aria-label') || control.textContent).trim()) say('a control without a name', control)
    if (control.tabIndex < 0) say('a control that the keyboard does not reach', control)
  }
  const named = all('button').map((button) => button.getAttribute('aria-label') || button.textContent)
  const actions = all('button').map((button) => button.form && button.form.getAttribute('action'))
  named.forEach((name, index) => {
    const other = named.indexOf(name)
    if (other !== index && actions[other] === actions[index]) return
    if (other !== index) say('two buttons of one name that do different things', all('button')[index])
  })
  for (const image of all('img')) if (!image.hasAttribute('alt')) say('an image without words', image)
  for (const table of all('table')) if (!table.querySelector('thead th[scope=col]')) say('a table without heads', table)
  const ids = all('[id]').map(({ id }) => id)
  if (new Set(ids).size !== ids.length) say('an id twice')

  const canvas = matchMedia('(prefers-color-scheme: dark)').matches ? [18, 18, 18, 1] : [255, 255, 255, 1]
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  const read = (color) => {
    context.clearRect(0, 0, 1, 1)
    context.fillStyle = color
    context.fillRect(0, 0, 1, 1)
    const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }
  const over = (front, back, alpha) => [0, 1, 2].map((i) => front[i] * alpha + back[i] * (1 - alpha))
  const ancestors = (element) => (element ? [element, ...ancestors(element.parentElement)] : [])
  const luminance = (color) => {
    const [red, green, blue] = color.slice(0, 3).map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  for (const element of all('body *')) {
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())
    if (!hasText || element.closest('style, title') || !element.checkVisibility()) continue
    const style = getComputedStyle(element)
    const line = ancestors(element)
    const back = line.map((each) => read(getComputedStyle(each).backgroundColor)).reduceRight(
      (below, color) => over(color, below, color[3]), canvas)
    const front = read(style.color)
    const opacity = line.reduce((share, each) => share * Number(getComputedStyle(each).opacity), front[3])
    const [light, dark] = [luminance(over(front, back, opacity)), luminance(back)].sort((a, b) => b - a)
    const ratio = (light + 0.05) / (dark + 0.05)
    const size = parseFloat(style.fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
    if (ratio < (isLarge ? 3 : 4.5)) say('contrast of ' + ratio.toFixed(2), element)
  }
  return faults
}`
