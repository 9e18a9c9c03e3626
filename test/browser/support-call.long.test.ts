/** A support call from beginning to end, in a browser: "My address is this one, and it does not work." */

import { randomUUID } from 'node:crypto'
import { generate } from 'otplib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OperatorActs, SecurityLog } from '../../db/connection/schema.ts'
import { saveOperator } from '../../db/operator/operators.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { until } from '../harness/until.ts'
import { openWatched, startBrowser } from './chromium.ts'
import { look } from './look.ts'

describe.skipIf(lacks('Chromium'))('a support call in a browser (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  const harness = await shareStack()
  const { sql } = harness.context
  const site = harness.urls.api
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  test('a customer is found by their address, gets the mail again and a part of the price, and all of it is on record', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person)
    const email = `${randomUUID()}@ama-esim.example`
    const operator = await saveOperator(harness.context, { name: 'Ada', email, role: 'support', at: new Date() })
    const confirmations = async () =>
      (await mailsTo(harness.stack, person.email)).filter(({ html }) => html.includes('/i/')).length
    await until('the delivery mail', async () => (await confirmations()) > 0)

    const { page, faults } = await openWatched(browser, site)
    let opened = 0
    page.on('framenavigated', () => {
      opened += 1
    })
    await page.goto(`${site}/console`)
    await look(page, 'console-sign-in')
    await page.getByLabel('Your e-mail address').fill(email)
    await page.getByLabel('Your password').fill(operator.password)
    const secret = new URL(operator.uri).searchParams.get('secret') ?? ''
    await page.getByLabel('The code of your authenticator').fill(await generate({ secret }))
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()

    await page.getByLabel('Find an account, order or privacy request').fill(person.email)
    await page.getByRole('button', { name: 'Find' }).click()
    await page.getByRole('heading', { name: `Account of ${person.firstName}` }).waitFor()
    await look(page, 'console-account')
    await page.getByRole('link', { name: order.id }).click()
    await page.getByRole('heading', { name: 'What happened' }).waitFor()
    expect(await page.getByRole('row', { name: /ordered 1 ×/ }).count()).toBe(1)
    await look(page, 'console-order')

    const before = await confirmations()
    await page.getByRole('link', { name: 'Resend the mail' }).click()
    await look(page, 'console-act')
    await page.getByLabel('Reason').fill('the first mail went to the spam folder')
    await page.getByRole('button', { name: 'Resend the mail now' }).click()
    await until('the mail is sent again', async () => (await confirmations()) > before)

    await page.getByRole('link', { name: 'Refund in part' }).click()
    await page.getByLabel(/^Amount in EUR/).fill('a bit')
    await page.getByLabel('Reason').fill('no network on the first day')
    await page.getByRole('button', { name: 'Refund in part now' }).click()
    await page.getByRole('alert').getByText('must be an amount in EUR').waitFor()
    expect(await page.getByLabel('Reason').inputValue()).toBe('no network on the first day')
    await look(page, 'console-refund')
    await page.getByLabel(/^Amount in EUR/).fill('1.50')
    await page.getByRole('button', { name: 'Refund in part now' }).click()
    await page.getByRole('row', { name: /refunded €1.50/ }).waitFor()

    await page.getByRole('link', { name: 'Note' }).click()
    await page.getByLabel('Reason').fill('calls again on Monday if it still fails')
    await page.getByRole('button', { name: 'Note now' }).click()
    await page.getByRole('row', { name: /note: calls again on Monday/ }).waitFor()
    await look(page, 'console-order-after')
    // Of a call that takes a minute each page may take five seconds.
    expect(opened).toBeLessThanOrEqual(12)
    // The browser reports the answer to the refused form itself.
    expect(faults.filter((fault) => !fault.includes('status of 422'))).toEqual([])

    const acts = await sql<Pick<OperatorActs, 'act' | 'state' | 'operator'>[]>`
      select act, state, operator from operator_acts where order_id = ${order.id} order by asked_at`
    const operatorName = `operator:${operator.id}`
    expect(acts).toEqual(
      ['resend', 'refund-part', 'note'].map((act) => ({ act, state: 'done', operator: operatorName })),
    )
    const logged = await sql<Pick<SecurityLog, 'actor' | 'detail'>[]>`
      select distinct actor, detail from security_log where actor = ${operatorName}`
    for (const { act } of acts) expect(logged.map(({ detail }) => detail)).toContain(`POST /console/orders/{id}/${act}`)
    const seen =
      await sql`select distinct route from access_log where account_id = ${person.accountId} and session is not null`
    expect(seen.map(({ route }) => route)).toContain('GET /console/orders/{id}')
  })
})
