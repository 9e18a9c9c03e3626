/**
 * A page of another site cannot send one of our forms in the browser of a person, also where the browser sends no Fetch
 * Metadata: it would sign them in as its own author, who then sees what they buy.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

const own = 'https://api.example.com'

test('a form without a session is taken from our own pages alone, by Fetch Metadata or by the origin', async () => {
  const forms = harness.routes.filter(({ form, callers }) => form && callers.includes('public'))
  expect(forms.length).toBeGreaterThan(4)
  for (const { path } of forms) {
    const post = async (headers: Record<string, string>): Promise<boolean> => {
      const form = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
      const answer = await harness.call('POST', path.replaceAll(/\{\w+\}/g, 'x'), {
        headers: { ...form, ...headers },
        body: 'a=b',
      })
      return answer.status === 403
    }
    for (const origin of [
      'https://evil.example',
      'null',
      `${own}.evil.example`,
      own.replace('https', 'http'),
      `${own}:8443`,
    ])
      expect([path, origin, await post({ origin })]).toEqual([path, origin, true])
    expect([path, await post({ origin: own, 'sec-fetch-site': 'cross-site' })]).toEqual([path, true])
    // The browser says it of the page; the address at which a proxy is asked may be another one.
    expect([path, await post({ origin: 'https://other.example', 'sec-fetch-site': 'same-origin' })]).toEqual([
      path,
      false,
    ])
    expect([path, await post({ origin: own })]).toEqual([path, false])
    expect([path, await post({})]).toEqual([path, false])
  }
})

test('a page with a form lets the browser say where the form comes from, and no page says its own address', async () => {
  const policyOf = async (path: string) => (await harness.call('GET', path)).headers.get('referrer-policy')
  for (const path of ['/account/sign-in', '/account', '/delete-account', '/console'])
    expect([path, await policyOf(path)]).toEqual([path, 'strict-origin'])
  for (const path of ['/docs', '/privacy', '/i/unknown', '/v1/packages'])
    expect([path, await policyOf(path)]).toEqual([path, 'no-referrer'])
})
