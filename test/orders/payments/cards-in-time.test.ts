/**
 * An order can be paid longer than its session with saved cards lasts. With a session that has ended, the payment sheet
 * does not open at all: docs.stripe.com/api/customer_sessions/object (`expires_at`)
 */
import { expect, test } from 'vitest'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { testPackages } from '../../harness/test-packages.ts'

const harness = await shareStack()
const { sql } = harness.context

test('saved cards are offered as long as their session lasts, and then the sheet opens without them', async () => {
  const { accountId, caller } = await harness.signUp()
  const wanted = { accountId, packageCode: testPackages.anyProvider, savedCards: true }
  const { id, payment } = expectStatus(await caller.post('/v1/orders', wanted), 201)
  expect(payment).toMatchObject({
    customerId: expect.stringMatching(/^cus_/),
    customerSessionClientSecret: expect.any(String),
  })

  await sql`update orders set created_at = created_at - interval '31 minutes' where id = ${id}`
  const later = expectStatus(await caller.get(`/v1/orders/${id}`), 200)
  expect(later).toMatchObject({ status: 'awaiting_payment' })
  expect(later.payment).toEqual({ ...payment, customerId: null, customerSessionClientSecret: null })
  expectStatus(await caller.post(`/v1/orders/${id}/cancel`), 200)
})
