import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'
import { createSurfer } from '../harness/browser.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

test('the console shows everything except runs while Temporal is down, and says so', async () => {
  const surfer = createSurfer(harness.url)
  const signedIn = await surfer.submit('/console', '/console/sign-in', { key: await harness.key('operator') })
  expect(signedIn.status).toBe(303)
  const { status, html } = await surfer.open('/console')
  expect(status).toBe(200)
  expect(html).toMatch(/Under way, or late \((?:<!-- -->)?\?/)
  expect(html).toContain('It cannot be read now.')
  expect(html).toContain('To be settled')
})
