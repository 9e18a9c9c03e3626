/**
 * G3: everybody can delete their account at once. A deletion does not wait for outside parties; each is called again
 * when it answers.
 */
import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { ErasureStep } from '../../../policy/deletion.ts'
import type { AnySimulatorControl } from '../../../sim/control.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { checkTotals, deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until } from '../../harness/until.ts'

const harness = await openHarness({
  books: false,
  settings: { PAYLOAD_KEYS: `outage:${randomBytes(32).toString('base64')}` },
})
const { apple, esimAccess, airalo, firebase, google, mailbox, stripe } = harness.sims
const { sql } = harness.context

const outside: ErasureStep[] = ['apple', 'google', 'firebase', 'stripe', 'esim_provider', 'mail']
const away = { cut: 'before', times: 1_000_000 } as const
/** Their client libraries retry a lost connection for seconds of real time. */
const slowToFail = new Map<AnySimulatorControl, Fault>([
  [stripe, { status: 503, times: 1_000_000 }],
  [firebase, { match: { path: 'accounts:delete' }, status: 502, times: 1_000_000 }],
])

test('a deletion is answered while every outside party is down', async () => {
  const signIn = await apple.do('sign-in')
  const { idToken, refreshToken = '' } = await google.do('sign-in', { offline: true })
  const person = await harness.signUp({
    account: {
      apple: { identityToken: signIn.idToken, authorizationCode: signIn.code },
      google: { identityToken: idToken },
    },
  })
  await keepGoogleToken(person.accountId, refreshToken)
  await harness.buy(person, { order: { savedCards: true } })
  const unpaid = await harness.buy(person, { pay: false })
  await esimAccess.do('allocation', { never: true })
  const unprovided = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, until: 'provisioning' })
  await until('the provider has the order', async () => {
    return (await sql`select 1 from provider_orders where order_id = ${unprovided.id} and state = 'placed'`)[0]
  })

  const down = [apple, google, stripe, firebase, esimAccess, airalo]
  for (const simulator of down) await simulator.fault(slowToFail.get(simulator) ?? away)
  // The eSIM is allocated while the provider does not answer: the order is erased before its delivery.
  await esimAccess.do('allocate')
  await mailbox.do('rule', { recipient: person.email, code: 421 })

  const deletion = await deleteAccount(harness.stack, person, harness.service)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  await deletion.fastForward('3 hours', { timeoutMs: 120_000 })
  const during = await deletion.states()
  expect(outside.map((processor) => during[processor])).toEqual(outside.map(() => 'pending'))
  expect(during).toMatchObject({ database: 'done', temporal: 'done' })

  for (const simulator of down) await simulator.clearFaults()
  await mailbox.do('clear-rules')
  await deletion.fastForward('3 hours')
  const { erasedAt } = await deletion.receipt()
  for (const processor of outside) {
    const step = await deletion.until(processor, 'done')
    // The receipt says when it was done, not when it was to be done.
    expect([processor, Date.parse(step?.changedAt ?? '') >= Date.parse(erasedAt) + 3 * 3_600_000]).toEqual([
      processor,
      true,
    ])
  }

  const payments = await stripe.state()
  const paymentOf = (orderId: string) => payments.paymentIntents.find(({ metadata }) => metadata.order_id === orderId)
  expect(paymentOf(unpaid.id)?.status).toBe('canceled')
  expect(payments.refunds.map((refund) => refund.payment_intent)).toEqual([paymentOf(unprovided.id)?.id])
  expect(payments.customers).toMatchObject([{ deleted: true }])
  expect((await apple.state()).grants).toMatchObject([{ revokedAt: expect.any(String) }])
  expect((await google.state()).refreshTokens).toMatchObject([{ revokedAt: expect.any(String) }])
  expect((await firebase.state()).deletedUsers).toEqual([person.firebaseUid])
  expect(
    (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.includes('deleted')),
  ).toHaveLength(1)
  const { cancels } = await esimAccess.state()
  expect(cancels).toHaveLength(1)
  await checkTotals(harness.stack)

  await stripe.do('clock', { advanceSeconds: 95 * 86_400 })
  await deletion.fastForward('95 days')
  expect((await deletion.receipt()).completedAt).not.toBeNull()
}, 180_000)

/** Stores a refresh token of Google, which a sign-in by ID token, as in the app, does not. */
async function keepGoogleToken(accountId: string, token: string): Promise<void> {
  const key = await harness.context.dataKeys.get(sql, accountId)
  const sealed = harness.context.cipher.encrypt(key, 'identities.refresh_token', token)
  await sql`update identities set refresh_token = ${sealed} where account_id = ${accountId} and provider = 'google'`
}
