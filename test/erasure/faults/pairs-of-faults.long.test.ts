/**
 * G3 and U2: everybody can delete their account at once, and paid means delivered or refunded. Pairs of passing faults
 * on every call of a deletion leave everybody notified and nothing unsettled.
 */
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { keysOf } from '../../../shared/keys-of.ts'
import { checkTotals, type Deletion, deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'
import { eachOf, impatient, pairs, passing, plantPairs, tooSlow } from '../../orders/faults/plant-pairs.ts'

const harness = await openHarness({ books: false, ...impatient })
const { sims } = harness
const { sql, cipher, dataKeys } = harness.context

const all = pairs([...passing, tooSlow])
/** The patterns differ: a name that one call has found takes no other sequence of the same pattern. */
const calls = {
  apple: [{ path: '/auth/revoke$', of: '[?& ]token=([^& ]+)' }],
  google: [{ path: '/revoke$', of: 'token=([^& ]+)' }],
  firebase: [{ path: 'accounts:delete$', of: '"localId":"([^"]+)"' }],
  stripe: [
    { method: 'POST', path: '/v1/refunds$', of: ' .*payment_intent=(pi_\\w+)' },
    { method: 'GET', path: '/v1/refunds\\?', of: '[?&]payment_intent=(pi_\\w+)' },
    { method: 'GET', path: '/v1/payment_intents/', of: 'payment_intents/(pi_\\w+)' },
    { method: 'POST', path: '/v1/payment_intents/\\w+/cancel$', of: '/v1/payment_intents/(pi_\\w+)' },
    { method: 'DELETE', path: '/v1/customers/\\w+$', of: '/v1/customers/(cus_\\w+)' },
    { method: 'GET', path: '/v1/customers/', of: 'customers/(cus_\\w+)' },
  ],
  esimAccess: [
    { path: '/esim/query$', of: '"orderNo":"([^"]+)"' },
    { path: '/esim/cancel$', of: '"esimTranNo":"([^"]+)"' },
  ],
} as const
const airaloCalls = [
  { method: 'GET', path: '/v2/orders/', of: '/v2/orders/(\\d+)' },
  { method: 'GET', path: '/v2/sims/', of: '/v2/sims/(\\d+)/usage' },
  { method: 'POST', path: '/v2/refund$', of: 'name="iccids"\\s+\\["(\\d+)' },
]
/** Airalo makes eSIMs at once: those that it does not show are not delivered either. */
const unreadable = { match: { method: 'GET', path: '/v2/orders/' }, status: 503, times: 1_000_000 }

/** A person with every sign-in, an unpaid order, and a paid one at each provider, which has not shown its eSIMs. */
async function person() {
  const signIn = await sims.apple.do('sign-in')
  const { idToken, refreshToken = '' } = await sims.google.do('sign-in', { offline: true })
  const made = await harness.signUp({
    account: {
      apple: { identityToken: signIn.idToken, authorizationCode: signIn.code },
      google: { identityToken: idToken },
    },
  })
  const key = await dataKeys.get(sql, made.accountId)
  const sealed = cipher.encrypt(key, 'identities.refresh_token', refreshToken)
  await sql`update identities set refresh_token = ${sealed} where account_id = ${made.accountId} and provider = 'google'`
  await harness.buy(made, { pay: false, order: { savedCards: true } })
  for (const packageCode of [testPackages.onlyEsimAccess, testPackages.onlyAiralo]) {
    const { id } = await harness.buy(made, { packageCode, until: 'provisioning' })
    await until('the provider has the order', async () => {
      const rows = await sql`select 1 from provider_orders where order_id = ${id} and state = 'placed'`
      return rows.length > 0
    })
  }
  return made
}

test('deletions with pairs of faults at every call are complete, and their books balance', {
  timeout: 420_000,
}, async () => {
  await sims.esimAccess.do('allocation', { never: true })
  await sims.airalo.fault(unreadable)
  const people = await pMap(all, person, { concurrency: 2 })
  await Promise.all(keysOf(calls).map((party) => plantPairs(sims[party], calls[party], all)))
  const done = ['apple', 'google', 'firebase', 'stripe', 'esim_provider', 'mail', 'database']
  const deletions: Deletion[] = []
  for (const each of people) deletions.push(await deleteAccount(harness.stack, each))
  // The orders are erased before their delivery.
  await sims.esimAccess.do('allocate')
  await sims.airalo.clearFaults()
  await plantPairs(sims.airalo, airaloCalls, all)
  const receipts = await eachOf(deletions, async (deletion) => {
    await deletion.fastForward('2 days', { timeoutMs: 180_000 })
    const states = await deletion.states()
    return Object.fromEntries(done.map((step) => [step, states[step]]))
  })
  expect(receipts).toEqual(receipts.map(() => Object.fromEntries(done.map((step) => [step, 'done']))))
  for (const party of keysOf(calls)) await sims[party].clearFaults()
  await sims.airalo.clearFaults()

  const stripe = await sims.stripe.state()
  const left = stripe.paymentIntents.filter(({ status }) => status !== 'canceled' && status !== 'succeeded')
  expect(left).toEqual([])
  expect(stripe.customers.filter(({ deleted }) => !deleted)).toEqual([])
  const live = { apple: (await sims.apple.state()).grants, google: (await sims.google.state()).refreshTokens }
  expect(live.apple.filter(({ revokedAt }) => revokedAt === null)).toEqual([])
  expect(live.google.filter(({ revokedAt }) => revokedAt === null)).toEqual([])
  expect((await sims.firebase.state()).deletedUsers).toHaveLength(people.length)
  expect((await sims.esimAccess.state()).cancels).toHaveLength(people.length)
  // Airalo takes each request for another one: of those whose answers may be lost there are three at most.
  const asked = (await sims.airalo.state()).refunds.flatMap(({ iccids }) => iccids)
  expect(new Set(asked).size).toBe(people.length)
  for (const iccid of asked) expect(asked.filter((each) => each === iccid).length).toBeLessThanOrEqual(3)
  expect(await sql`select from attention where kind = 'provider_refund_requested'`).toHaveLength(people.length)
  await checkTotals(harness.stack)
  expect(await sql`select kind, detail from attention where kind like 'deletion_%' and resolved_at is null`).toEqual([])
})
