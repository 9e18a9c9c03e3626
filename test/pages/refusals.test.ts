/** A person who is refused something reads why in their language, with a way on; a program gets a problem. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness({ limits: { public: 20 } })
})
afterAll(() => harness.stop())

/** Each is somebody else's browser, so that none counts against another's limit. */
let browsers = 0
function newAddress(): string {
  browsers += 1
  return `203.0.113.${browsers}`
}

const open = async (path: string, language: string, address = newAddress()) => {
  const headers = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8', 'accept-language': language }
  const {
    status,
    text,
    headers: answered,
  } = await harness.call('GET', path, {
    headers: { ...headers, 'x-forwarded-for': address },
  })
  return { status, text, answered, title: /<h1>(.*?)<\/h1>/.exec(text)?.[1] }
}

test.each([
  ['an address that only takes a form', '/account/sign-out', 405, 'Hier gibt es nichts zu sehen'],
  ['an address that cannot be decoded', '/i/%E0%A4%A', 400, 'Das geht so nicht'],
  ['an address without a page', '/nirgends', 404, 'Seite nicht gefunden'],
  [
    'a page after the session has ended',
    '/account/orders/00000000-0000-4000-8000-000000000000',
    401,
    'Bitte melden Sie sich an',
  ],
])('%s is answered to a browser with a page in its language', async (_name, path, status, title) => {
  const page = await open(path, 'de')
  expect([page.status, page.title]).toEqual([status, title])
  expect(page.answered.get('content-language')).toBe('de')
  expect(page.text).toMatch(/<main.*<a [^>]*href="\//s)
})

test.each(['/account/sign-out', '/i/%E0%A4%A', '/nowhere'])(
  '%s is answered to a program with a problem',
  async (path) => {
    const answer = await harness.call('GET', path, { headers: { 'x-forwarded-for': newAddress() } })
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
  },
)

test('a sign-in leads back to the page that has asked for it', async () => {
  const cases = [
    ['/account/export', 'account/data'],
    ['/account/orders/00000000-0000-4000-8000-000000000000', 'account'],
  ] as const
  for (const [path, next] of cases)
    expect((await open(path, 'en')).text).toContain(`href="/account/sign-in?next=${next}"`)
})

test('who asks too often reads when it goes on', async () => {
  let page = await open('/privacy', 'sq', '198.51.100.7')
  for (let times = 0; times < 20 && page.status !== 429; times += 1) page = await open('/privacy', 'sq', '198.51.100.7')
  expect([page.status, page.title]).toEqual([429, 'Shumë përpjekje'])
  expect(page.text).toContain('Mund të provoni përsëri pas 1 minute.')
})
