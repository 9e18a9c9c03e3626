/** The eSIMs of an account, and the top-ups that each takes. */
import { expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await shareStack()

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

test('every top-up that is listed for an eSIM can be ordered, and no other of its country', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const esim = order.esims[0]
  const { items, orderId } = expectStatus(await harness.service.get(`/v1/esims/${esim?.id}/top-ups`), 200)
  expect(orderId).toBe(order.id)
  const listed: string[] = items.map(({ code }: { code: string }) => code)
  expect(listed).toContain(testPackages.topUp)
  const all = expectStatus(
    await harness.anonymous.get('/v1/packages?destination=DE&kind=top_up&limit=200&dominated=included'),
    200,
  )
  for (const { code } of all.items) {
    const { status } = await harness.service.post(`/v1/orders/${order.id}/top-up`, { packageCode: code })
    expect([code, status]).toEqual([code, listed.includes(code) ? 201 : 409])
  }
})

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
