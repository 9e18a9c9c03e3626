/** A real browser, where there is one. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'

const executablePath = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

/** Tests that need a browser skip, and say so, where there is none. */
export const hasBrowser = existsSync(executablePath)

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: flags })

export interface Watched {
  page: Page
  /** requests to anybody but the site, scripts, and what the browser complained about */
  faults: string[]
}

/** A page that notes whatever a page of ours must not do. @param site the only origin it may talk to */
export async function openWatched(
  browser: Browser,
  site: string,
  options: { dark?: boolean; narrow?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    // Nor may any page need a script.
    javaScriptEnabled: false,
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: options.narrow ? { width: 360, height: 740 } : { width: 1000, height: 800 },
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (url.startsWith('data:') || url === `${site}/favicon.ico`) return
    if (!url.startsWith(`${site}/`)) faults.push(`asked ${new URL(url).origin}`)
    if (request.resourceType() === 'script') faults.push(`script ${url}`)
  })
  page.on('console', (message) => {
    const isFavicon = message.location().url.endsWith('/favicon.ico')
    if (message.type() === 'error' && !isFavicon) faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  return { page, faults }
}

/** True when nothing sticks out to the right: a phone's reader never scrolls sideways. */
export const fits = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')
