/** The eSIMs of an account, and the top-ups that each takes. */
import { expect, test } from 'vitest'
import { setEsimSuspended } from '../../db/order/esims.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { sql } = harness.context

test('the eSIMs of an account are listed without the secrets of their installation, page by page', async () => {
  const person = await harness.signUp()
  const orders = [await harness.buy(person), await harness.buy(person)]
  const path = `/v1/accounts/${person.accountId}/esims`
  const first = expectStatus(await harness.service.get(`${path}?limit=1`), 200)
  const second = expectStatus(await harness.service.get(`${path}?limit=1&cursor=${first.nextCursor}`), 200)
  expect([...first.items, ...second.items].map(({ orderId }) => orderId)).toEqual(orders.map(({ id }) => id).reverse())
  expect(second.nextCursor).toBeNull()
  expect(first.items[0]).toMatchObject({ packageCode: testPackages.anyProvider, state: 'new', suspended: false })
  expect(Object.keys(first.items[0])).not.toContain('activationCode')
})

test('packages and eSIMs say when their days begin, packages whether eSIMs take more, and eSIMs when they were read', async () => {
  const { items } = expectStatus(await harness.anonymous.get('/v1/packages?destination=TR&limit=200'), 200)
  const turkish = items.filter(({ destinations }: { destinations: string[] }) => destinations.length === 1)
  const offered = turkish.map(({ code, takesTopUps, validityStarts }: Record<string, unknown>) => [
    code,
    takesTopUps,
    validityStarts,
  ])
  expect(offered).toEqual([
    // Two providers have them, and do not agree.
    ['tr-1gb-7d', true, null],
    ['tr-3gb-15d', false, 'installation'],
    ['tr-5gb-30d', true, null],
  ])

  const person = await harness.signUp()
  const { esims } = await harness.buy(person, { packageCode: 'tr-3gb-15d' })
  const said = {
    validityStarts: 'installation',
    checkedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    unusedUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  }
  const path = encodeURIComponent(esims[0].activationCode)
  const androidInstallUrl = `https://esimsetup.android.com/esim_qrcode_provisioning?carddata=${path}`
  expect(esims).toMatchObject([{ ...said, androidInstallUrl }])
  const listed = expectStatus(await harness.service.get(`/v1/accounts/${person.accountId}/esims`), 200)
  expect(listed.items).toMatchObject([said])
})

/** The codes of the top-ups that are listed for the eSIM of an order. */
async function topUpsOf(order: OrderView): Promise<string[]> {
  const { items, orderId } = expectStatus(await harness.service.get(`/v1/esims/${order.esims[0].id}/top-ups`), 200)
  expect(orderId).toBe(order.id)
  return items.map(({ code }: { code: string }) => code)
}

const topUp = (order: OrderView, packageCode: string) =>
  harness.service.post(`/v1/orders/${order.id}/top-up`, { packageCode })

/** Whether the page of a person's eSIMs offers more data for the eSIM of an order. */
async function isOfferedOnTheWeb(person: Person, order: OrderView): Promise<boolean> {
  const { html } = await (await visit(harness.stack, person)).open('/account')
  return html.includes(`href="/account/esims/${order.esims[0].id}/top-up"`)
}

test('every top-up that is listed for an eSIM is delivered, and no other of its country can be ordered', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const listed = await topUpsOf(order)
  expect(listed).toContain('de-1gb-7d-topup')
  for (const code of listed) {
    const { id } = expectStatus(await topUp(order, code), 201)
    await harness.sims.stripe.do('pay', { orderId: id })
    await harness.untilOrder(id, 'delivered')
  }
  const all = expectStatus(await harness.anonymous.get('/v1/packages?destination=DE&kind=top_up&limit=200'), 200)
  for (const { code } of all.items) {
    const { status } = await topUp(order, code)
    // That of the tests is dearer than a listed one, which is as good.
    expect([code, status]).toEqual([code, listed.includes(code) || code === testPackages.topUp ? 201 : 409])
  }
})

test('an eSIM whose package takes no top-ups is offered none, though others of its country take them', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const [takesNone, takesSome] = await Promise.all(
    ['tr-3gb-15d', 'tr-1gb-7d'].map((packageCode) => harness.buy(person, { packageCode })),
  )
  if (!takesNone || !takesSome) throw new Error('nothing was bought')
  const offered = await topUpsOf(takesSome)
  expect(offered).toContain('tr-1gb-7d-topup')
  const refused = async () => {
    expect(await topUpsOf(takesNone)).toEqual([])
    const { status, body } = await topUp(takesNone, 'tr-1gb-7d-topup')
    expect([status, body.code]).toEqual([409, 'package_unavailable'])
    expect(await isOfferedOnTheWeb(person, takesNone)).toBe(false)
  }
  await refused()
  expect(await isOfferedOnTheWeb(person, takesSome)).toBe(true)

  // Later its provider sells the same package with an eSIM that takes more: this one is still the old one.
  await sql`update package_offers set supports_top_up = true where package_code = 'tr-3gb-15d'`
  await refused()
})

test('a suspended eSIM is offered no top-up, by the API and on the web, until it runs again', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const suspend = (suspended: boolean) => setEsimSuspended(sql, order.esims[0].id, suspended)
  await suspend(true)
  expect(await topUpsOf(order)).toEqual([])
  const { status, body } = await topUp(order, testPackages.topUp)
  expect([status, body.code]).toEqual([409, 'order_state_conflict'])
  expect(await isOfferedOnTheWeb(person, order)).toBe(false)
  await suspend(false)
  expect(await topUpsOf(order)).not.toEqual([])
  expect(await isOfferedOnTheWeb(person, order)).toBe(true)
})

test('a top-up that another one beats in every respect is not listed, and can be ordered', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  // Elsewhere it may be the only one: the better one is for the eSIMs of one provider.
  const [dearer, better] = [testPackages.topUp, 'de-1gb-7d-topup']
  await sql`
    delete from package_offers where package_code = ${better}
      and provider <> (select provider from esims where id = ${order.esims[0].id})`
  expect(await topUpsOf(order)).toContain(better)
  expect(await topUpsOf(order)).not.toContain(dearer)
  expectStatus(await topUp(order, dearer), 201)
  const isOfferedFor = async (code: string) => (await visitTopUps(person, order)).includes(`value="${code}"`)
  expect([await isOfferedFor(better), await isOfferedFor(dearer)]).toEqual([true, false])
})

/** The page that sells more data for the eSIM of an order. */
const visitTopUps = async (person: Person, order: OrderView): Promise<string> =>
  (await (await visit(harness.stack, person)).open(`/account/esims/${order.esims[0].id}/top-up`)).html

test('a status that does not exist is refused with those that do', async () => {
  const { status, body } = await harness.service.get('/v1/orders?status=deliverd')
  expect(status).toBe(400)
  expect(body.errors).toEqual([
    {
      field: 'status',
      reason:
        'must be one of: awaiting_payment, in_review, provisioning, delivered, refunding, refund_failed, refunded, cancelled, unpaid, ended',
    },
  ])
})
