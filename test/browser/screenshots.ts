/**
 * `npm run screenshots [part of a page's name]`: each page for customers on a phone and a desktop, light and dark, in each
 * language, in `.data/screenshots` with an index.html. A page that is wider than its screen is named.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { type Language, languages } from '../../messages/languages.ts'
import type { Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { type Product, startProduct } from '../harness/product.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'
import { hasBrowser, startBrowser } from './chromium.ts'

const folder = fileURLToPath(new URL('../../.data/screenshots/', import.meta.url))
const screens = { phone: { width: 360, height: 740 }, desktop: { width: 1200, height: 900 } } as const
const themes = ['light', 'dark'] as const
const gigabyte = 2 ** 30
const taken: Shot[] = []
/** a part of the names of the wanted pages */
const [wanted = ''] = process.argv.slice(2)

interface Shot {
  name: string
  language: Language
  screen: keyof typeof screens
  theme: (typeof themes)[number]
}

async function photograph(browser: Browser, product: Product, language: Language): Promise<void> {
  const { pages, surfer } = await furnish(product, language)
  const chosen = Object.entries(pages).filter(([name]) => name.includes(wanted))
  for (const screen of Object.keys(screens) as (keyof typeof screens)[]) {
    for (const theme of themes) {
      const [signedIn, anonymous] = await Promise.all(
        [surfer, undefined].map((who) => open(browser, product, { language, screen, theme }, who)),
      )
      for (const [name, path] of chosen) {
        const page = name.startsWith('_') ? anonymous : signedIn
        if (!page) continue
        await page.goto(new URL(path, product.urls.api).href)
        if (await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'))
          console.log(`too wide: ${name} in ${language} on a ${screen}`)
        const shot = { name: name.replace('_', ''), language, screen, theme }
        await page.screenshot({ path: `${folder}${fileOf(shot)}`, fullPage: true })
        taken.push(shot)
      }
      await Promise.all([signedIn?.context().close(), anonymous?.context().close()])
    }
  }
}

const fileOf = ({ name, language, screen, theme }: Shot): string => `${name}-${language}-${screen}-${theme}.png`

async function open(
  browser: Browser,
  product: Product,
  { language, screen, theme }: Omit<Shot, 'name'>,
  surfer?: Surfer,
): Promise<Page> {
  const context = await browser.newContext({ viewport: screens[screen], colorScheme: theme, javaScriptEnabled: false })
  const cookies = [...(surfer?.cookies ?? []), ['lang', language] as const]
  await context.addCookies(cookies.map(([name, value]) => ({ name, value, url: product.urls.api })))
  return context.newPage()
}

/** A person who has something on each page. @returns the paths by the names of pages; `_` begins those without a session */
async function furnish(product: Product, language: Language) {
  const { stack, sims } = product
  const long = 'maximiliane.sophie-charlotte.von-hohenstein-bartholomew'
  const email = `${long}.${language}@post.reisebuero-hauptstadt.example`
  const person = await product.signUp({
    account: { language, email, firstName: 'Maximiliane Sophie', lastName: 'von Hohenstein-Bartholomew' },
  })
  const order = await product.buy(person, { quantity: 2 })
  const used = await product.buy(person, { packageCode: testPackages.onlyEsimAccess, order: { savedCards: true } })
  await sims.stripe.do('save-card', { orderId: used.id })
  const returned = await product.buy(person)
  await person.caller.post(`/v1/orders/${returned.id}/refund`)
  await product.untilOrder(returned.id, 'refunded')
  const held = await product.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const [{ iccid }] = used.esims
  await sims.esimAccess.do('install', { iccid })
  await sims.esimAccess.do('use', { iccid, bytes: 0.9375 * gigabyte })
  const surfer = await visit(stack, person)
  await surfer.submit('/account/data', '/account/promotions', { granted: 'on' })
  await surfer.submit('/account/data', '/account/privacy-request', { kind: 'other', message: 'X?' })
  await surfer.submit('/account/data', '/account/email', { email: `new.${email}` })
  const topUpPath = `/account/esims/${used.esims[0].id}/top-up`
  const topUp = await surfer.submit(topUpPath, topUpPath)
  const withdrawal = `/account/orders/${order.id}/withdrawal`
  await surfer.submit(`/account/orders/${order.id}`, withdrawal)
  const changed = await until('the mail', async () =>
    (await mailsTo(stack, email)).findLast(({ text }) => text.includes('/email-change/')),
  )
  const change = new URL(/https?:\/\/\S+\/email-change\/[\w-]+/.exec(changed.text)?.[0] ?? '').pathname
  const { body } = await person.caller.get(`/v1/orders/${returned.id}`)
  const install = new URL(order.installUrl).pathname
  const gone = await product.signUp({ account: { language } })
  const { body: receipt } = await product.service.delete(`/v1/accounts/${gone.accountId}`)
  const pages: Record<string, string> = {
    start: '/',
    '_sign-in': '/account/sign-in',
    '_lost-link': '/i/unknown',
    '_sign-in-first': `/account/orders/${order.id}`,
    account: '/account',
    data: '/account/data',
    accesses: '/account/accesses',
    'top-ups': topUpPath,
    'order-unpaid': topUp.location ?? '/',
    'order-delivered': `/account/orders/${order.id}`,
    'order-held': `/account/orders/${held.id}`,
    'order-refunded': `/account/orders/${returned.id}`,
    invoice: `/account/orders/${returned.id}/documents/${body.documents[0].number}`,
    'install-ios': `${install}?device=ios`,
    'install-android': `${install}?device=android`,
    'install-other': `${new URL(used.installUrl).pathname}?device=other`,
    paid: `/account/paid?order=${order.id}`,
    'email-change': change,
    'delete-account': '/delete-account',
    receipt: `/receipts/${receipt.receiptId ?? receipt.id}`,
    privacy: '/privacy',
    'not-found': '/account/orders/00000000-0000-4000-8000-000000000000',
    'bad-form': '/account/data?x=1',
  }
  return { pages, surfer }
}

function indexOf(shots: readonly Shot[]): string {
  const names = [...new Set(shots.map(({ name }) => name))]
  const sections = names.map((name) => {
    const figures = shots
      .filter((shot) => shot.name === name)
      .map((shot) => {
        const file = fileOf(shot)
        return `<a href="${file}"><img class="${shot.screen}" src="${file}" alt="${file}" loading="lazy"><br>${shot.language}, ${shot.screen}, ${shot.theme}</a>`
      })
    return `<h2>${name}</h2><div>${figures.join('')}</div>`
  })
  const style =
    'body{font:14px system-ui;margin:1rem}div{display:flex;flex-wrap:wrap;gap:1rem;align-items:start}img{border:1px solid #888;max-height:40rem;object-fit:cover;object-position:top}img.phone{width:180px}img.desktop{width:400px}'
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Screenshots</title><style>${style}</style><h1>Screenshots</h1>${sections.join('')}</html>`
}

if (!hasBrowser) throw new Error('There is no Chromium: set CHROMIUM_PATH, or install it as /usr/bin/chromium.')
const product = await startProduct()
const browser = await startBrowser()
try {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const language of languages) await photograph(browser, product, language)
  await writeFile(`${folder}index.html`, indexOf(taken))
  console.log(`${taken.length} screenshots: ${folder}index.html`)
} finally {
  await browser.close()
  await product.stop()
}
