/** U2, U3: pairs of passing faults at the checkout, of mail servers and of FCM: one charge, and mail and push arrive. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Rule } from '../../../sim/mailbox/smtp.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { shareStack } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'
import { eachOf, pairs, passing, plantPairs, shifted } from './plant-pairs.ts'

const harness = await shareStack()
const { sims, service } = harness

/** A refusal of what nobody has paid yet is final, and the caller hears it. */
const atCheckout = pairs(passing.filter(({ status }) => status !== 404))
const checkoutCalls = [
  { method: 'POST', path: '/v1/customers$', of: 'account_ref(?:%5D|\\])=([\\w-]+)' },
  { method: 'POST', path: '/v1/payment_intents$', of: 'order_id(?:%5D|\\])=([\\w-]+)' },
  { method: 'POST', path: '/v1/customer_sessions$', of: 'customer=(cus_\\w+)' },
]

/** In FCM's words (https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode): of other replies nobody knows what they mean. */
const fcmError = (code: number, status: string, errorCode: string) => ({
  error: { code, status, details: [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }] },
})
/** A push that may have arrived is not repeated (docs/decisions/0005-mail-at-least-once.md). */
const atFcm = pairs<Fault>([
  { status: 429, headers: { 'Retry-After': '7200' }, body: fcmError(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED') },
  { status: 503, body: fcmError(503, 'UNAVAILABLE', 'UNAVAILABLE') },
  { status: 404, body: {} },
  { delayMs: 1_500 },
])
const mailFaults: Rule[] = [
  { code: 421 },
  { code: 451 },
  { stage: 'data', code: 452, reply: '4.3.1 out of storage' },
  { code: 550, reply: '5.7.1 blocked' },
  { drop: 'before' },
  { drop: 'after' },
  { delayMs: 2_000 },
]
const atMailServer = pairs(mailFaults)

test('checkouts with pairs of faults at every call of Stripe are charged once, and repeated under their key', {
  timeout: 240_000,
}, async () => {
  await plantPairs(sims.stripe, checkoutCalls, atCheckout)
  const ids = await eachOf(atCheckout, async () => {
    const { accountId } = await harness.signUp()
    const body = { accountId, packageCode: testPackages.onlyEsimAccess, quantity: 1, savedCards: true }
    const headers = { 'idempotency-key': randomUUID() }
    const answer = await untilValue(
      'the checkout is open',
      () => service.post('/v1/orders', body, headers),
      ({ status }) => status === 201,
    )
    const { id } = answer.body
    await sims.stripe.do('pay', { orderId: id })
    await harness.untilOrder(id, 'delivered')
    return id as string
  })
  await sims.stripe.clearFaults()
  expect(new Set(ids).size).toBe(atCheckout.length)
  await harness.checkBooks()
})

test('orders with pairs of faults of the mail server and of FCM are told by mail and by push', {
  timeout: 240_000,
}, async () => {
  const count = Math.max(atFcm.length, atMailServer.length)
  const told = await eachOf(Array.from({ length: count }).keys(), async (number) => {
    const person = await harness.signUp()
    for (const rule of shifted(atMailServer, number, 0))
      await sims.mailbox.do('rule', { ...rule, recipient: person.email, times: 1 })
    for (const fault of shifted(atFcm, number, 1))
      await sims.firebase.fault({ ...fault, match: { path: 'messages:send$', contains: person.pushToken } })
    const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    const arrived = async () => ({
      mails: (await mailsTo(harness.stack, person.email)).filter(({ attachments }) => attachments.length > 0).length,
      pushes: (await pushesTo(harness.stack, person.pushToken)).length,
    })
    // FCM may ask for two hours, and is given them: the mail has all that the person needs.
    for (let minutes = 0; minutes < 150; minutes += 10) {
      const { mails, pushes } = await arrived()
      if (mails > 0 && pushes > 0) break
      await harness.fastForward(id, '10 minutes')
    }
    await untilValue(`mail and push of pair ${number}`, arrived, ({ mails, pushes }) => mails > 0 && pushes > 0)
    const [shown] = (await person.caller.get(`/v1/orders/${id}`)).body.mails
    return [number, shown.state]
  })
  expect(told).toEqual(Array.from({ length: count }, (_each, number) => [number, 'sent']))
})
