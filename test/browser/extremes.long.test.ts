/**
 * The longest names, addresses and texts that the API takes, without a place to break them and in a script that goes
 * from right to left: no page is wider than a phone, and none has an accessibility fault.
 */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { lacks } from '../harness/optional/optional.ts'
import { visit } from '../harness/visits.ts'
import { startBrowser } from './chromium.ts'
import { look } from './look.ts'
import { openAs, screens } from './ways.ts'

const email = `${'w'.repeat(60)}@${'m'.repeat(60)}.${'w'.repeat(60)}.${'m'.repeat(55)}.example`
const names = { firstName: 'W'.repeat(100), lastName: 'محمد '.repeat(19).trim() }
const unbroken = 'W'.repeat(500)

describe.skipIf(lacks('Chromium'))('the longest texts in a browser (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  const harness = await shareStack()
  const site = harness.urls.api
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  async function lookAt(surfer: Surfer, paths: readonly string[]): Promise<void> {
    for (const screen of screens) {
      const { page, faults } = await openAs(browser, site, { language: 'de', screen, theme: 'light' }, surfer)
      for (const path of paths) {
        await page.goto(`${site}${path}`)
        await look(page, `extremes${path.replaceAll(/[^a-z]+/g, '-')}${screen}`)
      }
      expect(faults).toEqual([])
      await page.context().close()
    }
  }

  test('on the pages of a person and of an operator', async () => {
    const person = await harness.signUp({
      account: { ...names, email, language: 'de' },
      device: { model: unbroken.slice(0, 100), appVersion: '9.'.repeat(15) },
    })
    const order = await harness.buy(person)
    const surfer = await visit(harness.stack, person)
    await surfer.submit('/account/data', '/account/email', { email: `x${email.slice(1)}` })
    const [document] = expectStatus(await person.caller.get(`/v1/orders/${order.id}`), 200).documents
    const path = `/account/orders/${order.id}`
    await lookAt(surfer, ['/account', '/account/data', path, `${path}/documents/${document?.number}`])

    const asked = { kind: 'other', message: `${unbroken}\n${names.lastName}`, accountId: person.accountId }
    const request = expectStatus(await harness.operator.post('/v1/privacy-requests', asked), 201)
    const at = new Date()
    await raiseOperatorTask(harness.context.sql, { kind: 'refund_failed', subjectId: order.id, detail: 'x', at })
    const operator = createSurfer(site)
    await operator.submit('/console', '/console/sign-in', { key: harness.keys.operator })
    const note = `/console/orders/${order.id}/note`
    expect((await operator.submit(note, note, { reason: unbroken })).status).toBe(303)
    await lookAt(operator, [
      '/console',
      '/console/tasks',
      `/console/orders/${order.id}`,
      `/console/accounts/${person.accountId}`,
      `/console/privacy-requests/${request.id}`,
    ])
  })
})
