/**
 * A person with nothing but a keyboard finds, installs, tops up and returns eSIMs, and deletes the account. Without
 * scripts.
 */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { textsOf } from '../../messages/texts.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { openWatched, startBrowser } from './chromium.ts'
import { look } from './look.ts'

const mostTabs = 80

/** Moves the focus by Tab alone to the control of a name. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  const seen: string[] = []
  for (let tabs = 0; tabs < mostTabs; tabs += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate<string>(nameOfFocused)
    if (typeof name === 'string' ? focused === name : name.test(focused)) return
    seen.push(focused)
  }
  throw new Error(`no control ${name} by the keyboard: ${seen.join(' | ')}`)
}

// This code runs in the page: it has no imports and no types.
const nameOfFocused = `(() => {
  const { activeElement: element } = document
  const label = element.labels && element.labels[0]
  return (element.getAttribute('aria-label') || (label ? label.textContent : element.textContent)).trim()
})()`

async function activate(page: Page, name: string | RegExp, key = 'Enter'): Promise<void> {
  await tabTo(page, name)
  await page.keyboard.press(key)
}

const untilHeading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 }).waitFor()

describe.skipIf(lacks('Chromium'))('with the keyboard alone (skipped without Chromium)', async () => {
  if (lacks('Chromium')) return
  // Orders of erased people are in Stripe's state, and no longer in our database.
  const harness = await shareStack({ books: false })
  const site = harness.urls.api
  let browser: Browser
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterAll(() => browser.close())

  test('a person signs in, installs, tops up and returns eSIMs, and deletes the account', async () => {
    const person = await harness.signUp()
    const returned = await harness.buy(person)
    await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    const { page, faults } = await openWatched(browser, site, { narrow: true })
    // The only addresses that are typed: this one, and that of the mailed link. Everything else is reached by keys.
    await page.goto(site)
    await activate(page, /^My eSIMs.*Install them/)
    await untilHeading(page, 'Sign in')
    await tabTo(page, textsOf('en').t('account.signIn.address'))
    await page.keyboard.insertText(person.email)
    await page.keyboard.press('Enter')
    await untilHeading(page, /^Check your e.mail$/)
    const mail = await until('the link', async () =>
      (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject === 'Your sign-in link'),
    )
    await page.goto(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '')
    await activate(page, 'Sign in')
    await untilHeading(page, 'My eSIMs')
    await look(page, 'keyboard-account')

    // Finds and installs: the page of the phone, with the steps opened by the keyboard.
    await activate(page, 'Install it: Germany')
    await untilHeading(page, 'Your eSIM for Germany')
    await activate(page, 'iPhone')
    await page.getByRole('link', { name: /^Install on this iPhone/ }).waitFor()
    await tabTo(page, /^Install on this iPhone/)
    await activate(page, 'There is a network, but no page loads')
    expect(await page.getByText('Data roaming of this eSIM has to be on').isVisible()).toBe(true)

    // Tops up, and comes back from the page of Stripe.
    await activate(page, 'My eSIMs')
    await untilHeading(page, 'My eSIMs')
    await activate(page, 'Add data: Germany')
    await untilHeading(page, 'Top-up: Germany')
    await look(page, 'keyboard-top-ups')
    await activate(page, /^Order with obligation to pay: 1\sGB/)
    await untilHeading(page, 'Top-up: Germany')
    await look(page, 'keyboard-unpaid')
    await activate(page, /^Pay €[\d.]+ at Stripe/)
    await untilHeading(page, /^Pay €/)
    const { origin: stripe } = new URL(page.url())
    expect(stripe).not.toBe(site)
    await tabTo(page, 'Card number')
    await page.keyboard.insertText('4242424242424242')
    await page.keyboard.press('Enter')
    await untilHeading(page, 'Back from the payment')
    await look(page, 'keyboard-paid')
    await activate(page, 'See the order')
    // A reload at once would end the way there.
    await page.waitForURL(/\/account\/orders\//)
    await until('the order page says that it is delivered', async () => {
      await page.reload()
      return page.getByText('The data is on your eSIM.').isVisible()
    })

    // Returns the other eSIM.
    await activate(page, 'My eSIMs')
    await untilHeading(page, 'My eSIMs')
    await tabTo(page, 'Order and invoice: Germany')
    await activate(page, 'Order and invoice: Germany')
    await untilHeading(page, 'Order: Germany')
    expect(new URL(page.url()).pathname).toBe(`/account/orders/${returned.id}`)
    await activate(page, 'Withdraw from contract here')
    await untilHeading(page, 'Withdraw from the contract')
    await look(page, 'keyboard-withdrawal')
    await activate(page, 'Confirm withdrawal')
    await harness.untilOrder(returned.id, 'refunded')

    await activate(page, 'My eSIMs')
    await untilHeading(page, 'My eSIMs')
    await activate(page, 'My data')
    await untilHeading(page, 'My data')
    await activate(page, 'Delete the account')
    await untilHeading(page, 'Delete your account')
    await activate(page, 'I understand that this cannot be undone.', ' ')
    await activate(page, 'Delete my account now')
    await untilHeading(page, 'Receipt of a deletion')
    // The simulated Stripe has no icon, which the browser reports.
    expect(faults.filter((fault) => fault !== `asked ${stripe}` && !fault.includes('status of 404'))).toEqual([])
  })
})
