/** A real browser, where one is installed. */
import { type Browser, chromium, type Page } from 'playwright-core'
import { chromiumPath } from '../harness/optional/optional.ts'

const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath, headless: true, chromiumSandbox: false, args: flags })

export const viewportOf = ({ narrow }: { narrow?: boolean }): { width: number; height: number } =>
  narrow ? { width: 360, height: 740 } : { width: 1200, height: 900 }

export interface Watched {
  page: Page
  /** requests to other sites, scripts, and the browser's error messages */
  faults: string[]
}

/** Opens a page that records everything that our pages must not do. @param site the only allowed origin */
export async function openWatched(
  browser: Browser,
  site: string,
  options: { dark?: boolean; narrow?: boolean; scripts?: boolean } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    // No page needs a script.
    javaScriptEnabled: options.scripts ?? false,
    ...(options.scripts && { permissions: ['clipboard-read', 'clipboard-write'] }),
    colorScheme: options.dark ? 'dark' : 'light',
    viewport: viewportOf(options),
  })
  const page = await context.newPage()
  const faults: string[] = []
  page.on('request', (request) => {
    const url = request.url()
    if (url.startsWith('data:')) return
    if (!url.startsWith(`${site}/`)) faults.push(`asked ${new URL(url).origin}`)
    if (request.resourceType() === 'script') faults.push(`script ${url}`)
  })
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(String(error)))
  return { page, faults }
}
