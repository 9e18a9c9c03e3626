/** U1 to U3, purchase, delivery and status messages: one order from checkout to expiry, and one without a provider. */
import { randomUUID } from 'node:crypto'
import { historyCost } from '../../bench/history-cost.ts'
import type { PackageOffers } from '../../db/connection/schema.ts'
import { dayOf } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import type { Answer, DemoClient } from './demo-client.ts'

const money = ({ minor, currency }: { minor: number; currency: string }): string =>
  `${(minor / 100).toFixed(2)} ${currency}`

export interface Customer {
  accountId: string
  email: string
}

/** Signs up a customer of the demo with a phone. */
export async function signUpCustomer({ app, narrator }: DemoClient): Promise<Customer> {
  const email = `nora.${randomUUID().slice(0, 8)}@example.com`
  const account = await app('POST', '/v1/accounts', { email, firstName: 'Nora', lastName: 'Berg' })
  await app('PUT', `/v1/accounts/${account.id}/devices/phone-${account.id}`, {
    platform: 'ios',
    pushToken: `push-${account.id}`,
    osVersion: '18.1',
    appInstanceId: randomUUID().replaceAll('-', ''),
  })
  narrator.step('Nora signs up and registers her phone', account.phone === null, 'no phone number asked for')
  return { accountId: account.id, email }
}

/** @returns the order's id */
export async function playOrderLife(client: DemoClient, nora: Customer): Promise<string> {
  const { app, narrator, stack, until } = client
  const { esimAccess, stripe, firebase } = stack.sims
  narrator.chapter('An eSIM is bought, used, and expires', 'U2', 'U3')

  const { items } = await until(
    () => app('GET', '/v1/packages?destination=DE'),
    ({ items }) => items.length > 0,
    60_000,
  )
  const first = await cheapestProvider(client)
  const wanted = items.find((item: Answer) => first.get(item.code) === 'esim-access' && item.days === 30) ?? items[0]
  narrator.step(`The shop offers ${wanted.name}`, wanted !== undefined, money(wanted.price))
  const order = await app('POST', '/v1/orders', {
    accountId: nora.accountId,
    packageCode: wanted.code,
    measurement: { adUserData: true, adPersonalization: false },
  })
  const runLink = client.runLink(orderWorkflowId(order.id))
  if (runLink) narrator.link('the run', runLink)
  narrator.step(
    'Checkout: the payment sheet can open',
    Boolean(order.payment?.paymentIntentClientSecret),
    `waits for payment until ${order.dueAt}`,
  )

  const paidAt = performance.now()
  await stripe.do('pay', { orderId: order.id, method: 'apple_pay' })
  const read = (): Promise<Answer> => app('GET', `/v1/orders/${order.id}`)
  const delivered = await until(read, ({ status }) => status === 'delivered')
  const took = `${Math.round(performance.now() - paidAt)} ms after the payment`
  narrator.step('Nora pays with Apple Pay; the eSIM is delivered', delivered.status === 'delivered', took)
  narrator.step(
    'The invoice has the next number and no name',
    /^AMA-\d{4}-\d{6}$/.test(delivered.documents[0]?.number),
    delivered.documents[0]?.number,
  )

  const mail = await client.mailTo(nora.email, /ready/)
  narrator.step(
    'The mail contains the QR code, install link and manual data',
    mail?.attachments?.length > 0 && mail.text.includes(delivered.esims[0].smdpAddress),
    mail?.subject,
  )
  if (stack.urls.inbox) narrator.link('the mail', `${stack.urls.inbox}/messages/${mail.id}`)
  narrator.link('install page', delivered.installUrl)
  const pushed = await until(
    () => firebase.state(),
    (books) => books.delivered.length > 0,
  )
  narrator.step('Her phone gets a notification without personal data or destination', pushed.delivered.length > 0)

  const { iccid } = delivered.esims[0]
  const esim = async (): Promise<Answer> => (await read()).esims[0]
  await esimAccess.do('install', { iccid })
  await esimAccess.do('use', { iccid, bytes: 1_000_000 })
  const using = await until(esim, ({ state }) => state === 'in_use')
  narrator.step('She lands and uses data', using.state === 'in_use', `valid until ${using.expiresAt}`)
  await esimAccess.do('use', { iccid, bytes: Math.ceil(using.totalBytes * 0.8) })
  const low = await client.mailTo(nora.email, /80%/)
  narrator.step('After 80 % of the data she gets one mail', low !== undefined, low?.subject)

  const untilExpiry = Date.parse(using.expiresAt) - Date.now()
  const hour = 3_600_000
  narrator.progress(`the run's clock moves ${Math.round(untilExpiry / 24 / hour)} days`)
  await fastForward(stack.temporal, orderWorkflowId(order.id), untilExpiry - hour)
  const lastDay = await client.mailTo(nora.email, /one more day/)
  narrator.step('A day before the end she gets a mail', lastDay !== undefined, lastDay?.subject)
  await esimAccess.do('clock', { advanceSeconds: Math.ceil((untilExpiry + hour) / 1000) })
  const skip = await fastForward(stack.temporal, orderWorkflowId(order.id), 3 * hour)
  const ended = await until(read, ({ status }) => status === 'ended')
  narrator.step(
    'The eSIM expires and the run closes',
    ended.status === 'ended' && ended.esims[0].state === 'expired',
    `on ${dayOf(skip.now)} by its own clock`,
  )
  const { events, actions } = historyCost(
    await stack.temporal.workflow.getHandle(orderWorkflowId(order.id)).fetchHistory(),
  )
  narrator.say(`This order took ${events} history events and ${actions} actions, not counting the skipped time.`)
  return order.id
}

/** Plays an order that neither provider can fill: it is refunded. */
export async function playOutOfStock(client: DemoClient, nora: Customer): Promise<void> {
  const { app, narrator, stack, until } = client
  narrator.chapter('An order that no provider can fill is refunded', 'U2')
  const { items } = await app('GET', '/v1/packages?destination=FR')
  const wanted = items.find((item: Answer) => item.destinations.length === 1) ?? items[0]
  const offers = await stack.context.sql<Pick<PackageOffers, 'provider' | 'provider_package_code'>[]>`
    select provider, provider_package_code from package_offers where package_code = ${wanted.code}`
  for (const { provider, provider_package_code: code } of offers) {
    if (provider === 'esim-access') await stack.sims.esimAccess.do('stock', { packageCode: code, out: true })
    else await stack.sims.airalo.do('stock', { packageId: code, out: true })
  }
  const order = await app('POST', '/v1/orders', { accountId: nora.accountId, packageCode: wanted.code })
  await stack.sims.stripe.do('pay', { orderId: order.id })
  const refunded = await until(
    () => app('GET', `/v1/orders/${order.id}`),
    ({ status }) => status === 'refunded',
  )
  narrator.step(
    'No provider that sells this package has stock: the order is refunded',
    refunded.status === 'refunded',
    refunded.reason,
  )
  const { refunds } = await stack.sims.stripe.state()
  const refund = refunds.find((each) => each.amount === order.amount.minor && each.payment_intent !== undefined)
  narrator.step('Stripe shows the same refund', refund !== undefined, `${money(order.amount)} refunded`)
  const mail = await client.mailTo(nora.email, /refund/i)
  narrator.step('Nora gets a mail with the reason', mail !== undefined, mail?.subject)
}

/** The provider that is asked first, by package. */
async function cheapestProvider({ stack }: DemoClient): Promise<Map<string, string>> {
  const rows = await stack.context.sql<Pick<PackageOffers, 'package_code' | 'provider'>[]>`
    select distinct on (package_code) package_code, provider from package_offers where available
    order by package_code, rank nulls last, cost_micros, provider`
  return new Map(rows.map(({ package_code, provider }) => [package_code, provider]))
}
