import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { textsOf } from '../../messages/texts.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { lacks } from '../harness/optional/optional.ts'
import { until } from '../harness/until.ts'
import { openWatched, startBrowser } from './chromium.ts'
import { look } from './look.ts'

describe.skipIf(lacks('Chromium'))('pages in a browser (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  // Orders of erased people are in Stripe's state, and no longer in our database.
  const harness = await shareStack({ books: false })
  const site = harness.urls.api
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  test('a person signs in, reads their data, downloads the export, and deletes the account', async () => {
    const person = await harness.signUp()
    await harness.buy(person)
    const { page, faults } = await openWatched(browser, site, { narrow: true })
    await page.goto(`${site}/delete-account`)
    await page.getByRole('link', { name: 'Sign in to delete' }).click()
    await page.getByLabel(textsOf('en').t('account.signIn.address')).fill(person.email)
    await look(page, 'sign-in')
    await page.getByRole('button', { name: 'Send me a link' }).click()
    await page.getByRole('heading', { name: /^Check your e.mail$/ }).waitFor()
    const mail = await until('the link', async () =>
      (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject === 'Your sign-in link'),
    )
    await page.goto(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Delete my account now' }).waitFor()

    await page.goto(`${site}/account`)
    await look(page, 'account')
    await page.getByRole('link', { name: 'My data' }).click()
    await look(page, 'my-data')
    await page.getByLabel('Send me offers').check()
    await page.locator('form[action="/account/promotions"] button').click()
    await page.getByText('Your choices so far').click()
    expect(await page.getByLabel('Send me offers').isChecked()).toBe(true)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download everything as JSON' }).click()
    expect((await download).suggestedFilename()).toBe('ama-esim-export.json')
    await page.getByRole('link', { name: 'See who has read your data' }).click()
    await look(page, 'accesses')

    await page.goto(`${site}/delete-account`)
    await look(page, 'delete-account')
    await page.getByLabel('I understand that this cannot be undone.').check()
    await page.getByRole('button', { name: 'Delete my account now' }).click()
    await page.getByRole('heading', { name: 'Receipt of a deletion' }).waitFor()
    expect(page.url()).toMatch(/\/receipts\/[0-9a-f-]{36}$/)
    await look(page, 'receipt')
    expect(faults).toEqual([])
  })

  test('everybody can read the policy in force, the coming and the old versions', async () => {
    const coming = {
      title: 'Privacy policy',
      text: '## What we keep\n\nLess.',
      changes: ['We keep less.'],
      material: true,
    }
    const effectiveAt = new Date(Date.now() + 40 * 86_400_000).toISOString()
    expectStatus(await harness.operator.post('/v1/policies', { ...coming, version: 'next', effectiveAt }), 201)
    for (const dark of [false, true]) {
      const { page, faults } = await openWatched(browser, site, { dark, narrow: dark })
      await page.goto(`${site}/nowhere`)
      await page.getByRole('heading', { name: 'Not found' }).waitFor()
      await look(page, 'nowhere')
      await page.goto(site)
      await look(page, 'start')
      await page.getByRole('main').getByRole('link', { name: 'Privacy policy' }).click()
      await page.getByRole('heading', { name: /^Coming on/ }).waitFor()
      await look(page, dark ? 'privacy-dark' : 'privacy')
      await page.getByRole('link', { name: 'Version next' }).click()
      await page.getByText('Less.', { exact: true }).waitFor()
      await look(page, 'privacy-version')
      await page.goto(`${site}/delete-account`)
      await look(page, 'delete-account-signed-out')
      await page.goto(`${site}/receipts/${crypto.randomUUID()}`)
      await look(page, 'no-receipt')
      expect(faults.filter((fault) => !fault.includes('404'))).toEqual([])
    }
  })

  test('an operator signs in and settles operator tasks', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
    await raiseOperatorTask(harness.context.sql, {
      kind: 'refund_failed',
      subjectId: order.id,
      detail: 'expired_card',
      at: new Date(),
    })
    const request = { kind: 'portability', message: 'My data, please.\nAll of it.', accountId: person.accountId }
    expectStatus(await harness.operator.post('/v1/privacy-requests', request), 201)
    const { page, faults } = await openWatched(browser, site)
    await page.goto(`${site}/console`)
    // With the keyboard only: the first link skips the site's head.
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    for (let field = 0; field < 5; field++) await page.keyboard.press('Tab')
    await page.keyboard.insertText(harness.keys.operator)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Orders to review (1)' }).waitFor()
    await until('the notice is listed, and until when it waits', async () => {
      await page.reload()
      return (
        (await page.getByRole('row', { name: /policy-notice-next waiting the day it takes effect \d/ }).count()) > 0
      )
    })
    await look(page, 'console')
    await page.getByRole('link', { name: 'Your sessions' }).click()
    await page.getByText('This browser').waitFor()
    await look(page, 'sessions')
    await page.goto(`${site}/console`)
    await page.getByRole('link', { name: 'Approve' }).click()
    await page.getByLabel('Reason').fill('known customer')
    await page.getByRole('button', { name: 'Approve now' }).click()
    await page.getByRole('heading', { name: /^Order / }).waitFor()
    await harness.untilOrder(order.id, 'delivered')
    await page.goto(`${site}/console`)
    await page.getByRole('link', { name: /^PR-/ }).click()
    await look(page, 'privacy-request')
    await page.getByRole('link', { name: 'Answer' }).click()
    await page.getByLabel('Mailed to the person').fill('Here it is.')
    await page.getByLabel('Reason').fill('they are who they say')
    await look(page, 'privacy-answer')
    await page.getByRole('button', { name: 'Answer now' }).click()
    await page.getByRole('link', { name: 'Promises' }).click()
    await page.getByRole('heading', { name: 'What we promised' }).waitFor()
    await look(page, 'promises')
    expect(faults).toEqual([])
  })

  test('one click unsubscribes from offers', async () => {
    const person = await harness.signUp()
    const consents = `/v1/accounts/${person.accountId}/consents/promotions`
    expectStatus(await person.caller.put(consents, { granted: true, source: 'app_settings' }), 200)
    expectStatus(
      await harness.operator.post('/v1/campaigns', { subject: 'Ten percent off', paragraphs: ['This week.'] }),
      201,
    )
    const mail = await until('the offer', async () =>
      (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject === 'Ten percent off'),
    )
    const { page, faults } = await openWatched(browser, site, { dark: true, narrow: true })
    await page.goto(/https?:\/\/\S+\/u\/[\w-]+/.exec(mail.text)?.[0] ?? '')
    await look(page, 'unsubscribe')
    await page.getByRole('button', { name: 'Stop the offers' }).click()
    await page.getByRole('heading', { name: 'You get no more offers' }).waitFor()
    expect((await person.caller.get(`/v1/accounts/${person.accountId}`)).body.consents.promotions.granted).toBe(false)
    expect(faults).toEqual([])
  })
})
