/** A browser for each combination of language, width and theme, and how it goes the ways of the table. */
import type { Browser, Page, Response } from 'playwright-core'
import type { Language } from '../../messages/languages.ts'
import type { Surfer } from '../harness/browser.ts'
import { openWatched, viewportOf, type Watched } from './chromium.ts'
import type { Way } from './page-table.ts'

export const screens = ['phone', 'desktop'] as const
export const themes = ['light', 'dark'] as const

export interface Look {
  language: Language
  screen: (typeof screens)[number]
  theme: (typeof themes)[number]
}

/** Each combination. */
export const allLooks = (of: readonly Language[]): Look[] =>
  of.flatMap((language) => screens.flatMap((screen) => themes.map((theme) => ({ language, screen, theme }))))

/**
 * Two looks in each language, which have both widths and both themes. @param at the next one has the other two
 */
export const someLooks = (of: readonly Language[], at: number): Look[] =>
  of.flatMap((language, index) =>
    screens.map((screen) => ({
      language,
      screen,
      theme: (screen === 'phone') === ((at + index) % 2 === 0) ? ('light' as const) : ('dark' as const),
    })),
  )

/** Opens a browser's window with somebody's cookies. */
export async function openAs(
  browser: Browser,
  site: string,
  { language, screen, theme }: Look,
  surfer?: Surfer,
): Promise<Watched> {
  const watched = await openWatched(browser, site, { dark: theme === 'dark', narrow: screen === 'phone' })
  const cookies = [...(surfer?.cookies ?? []), ['lang', language] as const]
  await watched.page.context().addCookies(cookies.map(([name, value]) => ({ name, value, url: site })))
  return watched
}

/** Shows an open page as another screen in another theme does. */
export async function showAs(page: Page, { screen, theme }: Pick<Look, 'screen' | 'theme'>): Promise<void> {
  await page.setViewportSize(viewportOf({ narrow: screen === 'phone' }))
  await page.emulateMedia({ colorScheme: theme })
}

export const nameOfLook = ({ language, screen, theme }: Look): string => `${language}, ${screen}, ${theme}`

/** Goes there, and sends a form or unfolds the page if the way says so. @returns the answer, after redirects */
export async function go(page: Page, site: string, { path, sends, opens }: Way): Promise<Response> {
  const opened = await page.goto(new URL(path, site).href)
  if (!opened) throw new Error(`${path} has no answer`)
  if (opens) await page.evaluate('document.querySelectorAll("details").forEach((each) => { each.open = true })')
  if (!sends) return opened
  const [answer] = await Promise.all([
    page.waitForNavigation(),
    page.evaluate(`(${sendForm})(${JSON.stringify(sends)})`),
  ])
  if (!answer) throw new Error(`${sends.action} has no answer`)
  return answer
}

// This code runs in the page: it has no imports and no types. A form that the page no longer has is one of an older
// page.
const sendForm = `({ action, fields = {} }) => {
  const known = [...document.forms].find((form) => new URL(form.action, document.baseURI).pathname === action)
  const form = known || document.body.appendChild(Object.assign(document.createElement('form'), { method: 'post', action }))
  const put = (name, value) => {
    // A button of that name is sent only when it is pressed.
    const field = [...form.elements].find((each) => each.name === name && each.tagName !== 'BUTTON') ||
      form.appendChild(Object.assign(document.createElement('input'), { type: 'hidden', name }))
    if (field.tagName === 'SELECT' && ![...field.options].some((option) => option.value === value))
      field.append(new Option(value, value))
    field.value = value
  }
  if (!known) {
    const token = document.querySelector('input[name=csrf]')
    if (token) put('csrf', token.value)
  }
  for (const [name, value] of Object.entries(fields)) put(name, value)
  form.submit()
}`
