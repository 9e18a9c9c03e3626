/**
 * Every page for customers, also the one of a refused form, is whole in each language: no English message is left on
 * it.
 */
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { type Language, languages } from '../../messages/languages.ts'
import { faultsOfPages } from '../browser/accessibility.ts'
import { startBrowser } from '../browser/chromium.ts'
import { readDescribed } from '../harness/api/described.ts'
import { createSurfer, type Shown, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { lacks } from '../harness/optional/optional.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'
import { englishLeftIn } from './english-left.ts'

// Orders of erased people are in Stripe's state, and no longer in our database.
const harness = await shareStack({ books: false })
const site = harness.urls.api

/** From the OpenAPI document, without the pages for operators and developers. */
const { paths } = await readDescribed(harness.anonymous)
const pages = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, { responses }]) => {
    const isHtml = Object.values(responses).some(({ content }) => content && 'text/html' in content)
    const isForOthers = /^\/(console|docs|problems)\b/.test(path)
    return isHtml && !isForOthers ? [{ method, path, key: `${method.toUpperCase()} ${path}` }] : []
  }),
)

/** Every page that was seen, by language and name. */
const seen = { en: new Map<string, string>(), de: new Map<string, string>(), sq: new Map<string, string>() }

function expectWhole(language: Language, name: string, { html, headers }: Pick<Shown, 'html' | 'headers'>): void {
  if (html !== '') seen[language].set(`${name} ${seen[language].size}`, html)
  const said = [headers.get('content-language'), /<html lang="(\w+)"/.exec(html)?.[1]]
  expect([name, ...said]).toEqual([name, language, language])
  expect(headers.get('vary'), name).toMatch(/Accept-Language.*Cookie/)
  if (language !== 'en') expect(englishLeftIn(html, language), name).toEqual([])
}

const linkIn = (text: string | undefined, path: string): string =>
  new URL(new RegExp(`https?://\\S+${path}/[\\w-]+`).exec(text ?? '')?.[0] ?? '').pathname

/** A person who has something on each page, and the address of every page that shows it. */
async function furnished(language: Language) {
  const person = await harness.signUp({ account: { language } })
  const [order, returned, unpaid] = [
    await harness.buy(person, { quantity: 2 }),
    await harness.buy(person),
    await harness.buy(person, { pay: false }),
  ]
  const surfer = await visit(harness.stack, person)
  await surfer.submit(`/account/orders/${returned.id}`, `/account/orders/${returned.id}/cancel`).catch(() => undefined)
  expectStatus(await person.caller.post(`/v1/orders/${returned.id}/refund`), 200)
  await harness.untilOrder(returned.id, 'refunded')
  await surfer.submit('/account/data', '/account/promotions', { granted: 'on' })
  await surfer.submit('/account/data', '/account/privacy-request', { kind: 'other', message: 'X?' })
  await surfer.submit('/account/data', '/account/email', { email: `new-${person.email}` })
  await surfer.submit(`/account/orders/${order.id}`, `/account/orders/${order.id}/withdrawal`)
  const latest = async (has: string) =>
    until(`a mail with ${has}`, async () =>
      (await mailsTo(harness.stack, person.email)).findLast(({ text }) => text.includes(has)),
    )
  const change = linkIn((await latest('/email-change/')).text, '/email-change')
  const { documents } = expectStatus(await person.caller.get(`/v1/orders/${order.id}`), 200)
  const { documents: credited } = expectStatus(await person.caller.get(`/v1/orders/${returned.id}`), 200)
  const install = new URL(order.installUrl).pathname
  const topUps = `/account/esims/${order.esims[0].id}/top-up`
  const topUp = { id: (await surfer.submit(topUps, topUps)).location?.split('/').at(-1) ?? '' }
  return { person, topUps, topUp, surfer, order, returned, unpaid, change, documents, credited, install }
}

test.each(languages)('every page and every refused form is whole in the language %s', async (language) => {
  const { person, surfer, order, returned, unpaid, change, documents, credited, install, topUps, topUp } =
    await furnished(language)
  const anonymous = createSurfer(site)
  anonymous.cookies.set('lang', language)
  const orderPath = `/account/orders/${order.id}`
  const { policies } = { policies: expectStatus(await harness.service.get('/v1/policies'), 200) }
  const reading: Record<string, [Surfer, string][]> = {
    'GET /': [[surfer, '/']],
    'GET /account': [
      [surfer, '/account'],
      [anonymous, '/account'],
    ],
    'GET /account/accesses': [
      [surfer, '/account/accesses'],
      [anonymous, '/account/accesses'],
    ],
    'GET /account/data': [
      [surfer, '/account/data'],
      [anonymous, '/account/data'],
    ],
    'GET /account/export': [[anonymous, '/account/export']],
    'GET /account/orders/{id}': [order, returned, unpaid, topUp].map(({ id }) => [surfer, `/account/orders/${id}`]),
    'GET /account/esims/{id}/top-up': [[surfer, topUps]],
    'GET /account/paid': [[anonymous, `/account/paid?order=${order.id}`]],
    'GET /account/orders/{id}/documents/{number}': [
      ...documents.map(({ number }: { number: string }) => [surfer, `${orderPath}/documents/${number}`] as const),
      ...credited.map(
        ({ number }: { number: string }) => [surfer, `/account/orders/${returned.id}/documents/${number}`] as const,
      ),
    ],
    'GET /account/orders/{id}/documents/{number}/pdf': [[surfer, `${orderPath}/documents/none/pdf`]],
    'GET /account/sign-in': [[anonymous, '/account/sign-in?next=delete-account']],
    'GET /account/sign-in/{token}': [[anonymous, '/account/sign-in/unknown']],
    'GET /delete-account': [
      [surfer, '/delete-account'],
      [anonymous, '/delete-account'],
    ],
    'GET /receipts/{id}': [[anonymous, '/receipts/unknown']],
    'GET /i/{token}': [
      ...['ios', 'android', 'other'].map((device): [Surfer, string] => [surfer, `${install}?device=${device}`]),
      [surfer, new URL(returned.installUrl ?? order.installUrl).pathname],
      [anonymous, '/i/unknown'],
    ],
    'GET /u/{token}': [[anonymous, '/u/unknown']],
    'GET /email-change/{token}': [
      [surfer, change],
      [anonymous, '/email-change/unknown'],
    ],
    'GET /privacy': [[anonymous, '/privacy']],
    'GET /privacy/{version}': [[anonymous, `/privacy/${policies.items[0]?.version ?? 'none'}`]],
  }
  const forms = pages.filter(({ method }) => method === 'post')
  expect(Object.keys(reading).sort()).toEqual(
    pages
      .filter(({ method }) => method === 'get')
      .map(({ key }) => key)
      .sort(),
  )
  for (const [key, visits] of Object.entries(reading)) {
    expect(visits.length, key).toBeGreaterThan(0)
    for (const [reader, path] of visits) expectWhole(language, path, await reader.open(path))
  }
  const nowhere = await fetch(`${site}/nowhere`, { headers: { accept: 'text/html', cookie: `lang=${language}` } })
  expectWhole(language, 'nowhere', { html: await nowhere.text(), headers: nowhere.headers })

  // Each form, refused for a field that it does not have, and for its session. Some are of nobody who is signed in.
  surfer.cookies.set('lang', language)
  const { html } = await surfer.open(orderPath)
  const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
  for (const route of forms) {
    const path = route.path
      .replace('{id}', route.path.includes('esims') ? order.esims[0].id : order.id)
      .replace('{token}', 'unknown')
    const refused = await surfer.post(path, { csrf, more: 'x', email: 'none', once: randomUUID() })
    expectWhole(language, route.key, refused)
    expectWhole(language, `${route.key} without a session`, await anonymous.post(path, {}))
  }
  expectWhole(language, 'sign-in', await anonymous.post('/account/sign-in', { email: person.email }))
  expectWhole(language, 'agreed', await surfer.post(change, {}))
  const left = await surfer.submit(orderPath, `${orderPath}/withdrawal`)
  expect(left.status).toBe(200)
  expectWhole(language, 'withdrawal', left)
  const deleted = await surfer.submit('/delete-account', '/delete-account', { understood: 'on' })
  expect(deleted.status).toBe(303)
  expectWhole(language, 'receipt', await anonymous.open(deleted.location ?? ''))
})

test.skipIf(lacks('Chromium')).each(languages)(
  'no page has an accessibility fault in the language %s (skipped without Chromium)',
  async (language) => {
    const browser = await startBrowser()
    try {
      expect(seen[language].size).toBeGreaterThan(50)
      expect(await faultsOfPages(browser, seen[language])).toEqual({})
      const planted = new Map([['planted', '<html><body><img src="x"><button></button></body></html>']])
      expect((await faultsOfPages(browser, planted)).planted).toEqual(
        expect.arrayContaining([expect.stringMatching(/^image-alt/)]),
      )
    } finally {
      await browser.close()
    }
  },
)

test('English that is left on a page is found', () => {
  const page = (text: string) => `<html><body><main>${text}</main></body></html>`
  expect(englishLeftIn(page('<p>Order number</p><p>Wir haben eine eSIM.</p>'), 'de')).toEqual(['Order number'])
  expect(englishLeftIn(page('<a aria-label="Copy ICCID of eSIM 1">Kopieren</a>'), 'de')).toHaveLength(0)
  expect(
    englishLeftIn(page('<p>You have 1 day. We send you a link that works once. There is no password.</p>'), 'sq'),
  ).toHaveLength(1)
  expect(
    englishLeftIn(page('<q lang="en">We send you a link that works once. There is no password.</q>'), 'sq'),
  ).toEqual([])
})

test('no page for customers has a text outside of the messages', async () => {
  const folder = new URL('../../api/pages/', import.meta.url)
  const files = (await readdir(folder, { recursive: true })).filter((file) => {
    const isForOthers = /^(console|docs)\/|^promises/.test(file)
    return file.endsWith('.tsx') && !isForOthers
  })
  expect(files.length).toBeGreaterThan(15)
  const found = await Promise.all(
    files.map(async (file) => {
      const source = await readFile(new URL(file, folder), 'utf8')
      return textsIn(source).map((text) => `${file}: ${text}`)
    }),
  )
  expect(found.flat()).toEqual([])
  expect(textsIn('<p>Two words</p>')).toEqual(['Two words'])
  expect(textsIn('<Card title="Who you are">')).toEqual(['title="Who you are"'])
})

/** Texts of elements, and attributes that are read out. The method of a form and code of a command are none. */
function textsIn(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*|=>/g, '')
  const elements = [...code.matchAll(/<\/?[A-Za-z][^<>]*>([^<>{}()=;]*\p{L}{2}[^<>{}()=;]*)(?=<\/?[A-Za-z]|\{)/gu)]
  const attributes = [...code.matchAll(/\b(?:title|label|hint|alt|aria-label|placeholder)="[^"]*\p{L}[^"]*"/gu)]
  const names = ['aria-label="AMA eSIM"']
  return [...elements.map(([, text = '']) => text.trim()), ...attributes.map(([text]) => text)].filter(
    (text) => text !== '' && !names.includes(text),
  )
}
