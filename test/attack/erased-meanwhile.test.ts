/** Requests about a person who is erased after the request has found them: each answers as the next one would. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLinkToken } from '../../db/crypto/link-tokens.ts'
import { insertOrder } from '../../db/order/orders.ts'
import { plusMs } from '../../shared/calendar.ts'
import { plainOrder } from '../erasure/plain-order.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { erasing, meanwhile } from './meanwhile.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

interface Stored {
  accountId: string
  orderId: string
  token: string
}

/** A person who has just bought an eSIM. */
async function stored(): Promise<Stored> {
  const { sql } = harness.api
  const person = newPerson()
  const { token } = await harness.firebaseToken({ email: person.email })
  const { body: account } = await harness.call('POST', '/v1/accounts', { token, body: person })
  const [orderId, at] = [randomUUID(), new Date()]
  await insertOrder(sql, plainOrder({ id: orderId, accountId: account.id, at }))
  await sql`update orders set status = 'delivered', paid_at = ${at}, delivered_at = ${at} where id = ${orderId}`
  return { accountId: account.id, orderId, token }
}

async function signInLink(accountId: string): Promise<string> {
  const at = new Date()
  const link = { purpose: 'sign_in', accountId, at, expiresAt: plusMs(at, 60_000) } as const
  return createLinkToken(harness.api.sql, link)
}

type Ask = () => Promise<{ status: number }>

/**
 * By the table at whose write the request waits. The objects that a request needs are made before, outside of the
 * transaction.
 */
const requests: Record<string, (of: Stored) => Promise<Ask>> = {
  web_sessions: async ({ accountId }) => {
    const secret = await signInLink(accountId)
    return () => fetch(`${harness.url}/account/sign-in/${secret}`, { method: 'POST', redirect: 'manual' })
  },
  devices:
    async ({ accountId, token }) =>
    () =>
      harness.call('PUT', `/v1/accounts/${accountId}/devices/a-phone`, { token, body: { platform: 'ios' } }),
  consents:
    async ({ accountId, token }) =>
    () => {
      const body = { granted: true, source: 'app_settings' }
      return harness.call('PUT', `/v1/accounts/${accountId}/consents/promotions`, { token, body })
    },
  withdrawals:
    async ({ orderId, token }) =>
    () =>
      harness.call('POST', `/v1/orders/${orderId}/withdrawal`, { token, body: {} }),
  operator_acts: async ({ orderId }) => {
    const token = await harness.key('operator')
    return () =>
      harness.call('POST', `/v1/operator/orders/${orderId}/acts`, {
        token,
        body: { act: 'note', reason: 'Asked by phone.' },
        headers: { 'idempotency-key': randomUUID() },
      })
  },
  identities: async ({ accountId, token }) => {
    const { idToken } = await harness.google.do('sign-in', {})
    const body = { google: { identityToken: idToken } }
    return () => harness.call('POST', `/v1/accounts/${accountId}/sign-ins`, { token, body })
  },
}

test.each(Object.entries(requests))(
  'a request that writes %s for a person who is erased meanwhile finds nobody',
  async (table, prepare) => {
    const person = await stored()
    const ask = await prepare(person)
    const { status } = await meanwhile(harness.api.sql, table, ask, erasing(person.accountId))
    expect([table, status]).toEqual([table, 404])
  },
)
