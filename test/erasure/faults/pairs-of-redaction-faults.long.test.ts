/**
 * G3 at Stripe: pairs of passing faults at every call of a redaction: everything is redacted, and nothing is let go of.
 */
import { expect, test } from 'vitest'
import { deleteAccount } from '../../harness/deletions.ts'
import { shareStack } from '../../harness/harness.ts'
import { eachOf, missingAtStripe, pairs, passing, plantPairs } from '../../orders/faults/plant-pairs.ts'

const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { sql } = harness.context
const day = 86_400

const all = pairs([...passing, missingAtStripe])
const creating = pairs(passing)
const calls = [
  { method: 'GET', path: '/redaction_jobs/\\w+$', of: 'redaction_jobs/(\\w+) ' },
  { method: 'GET', path: '/redaction_jobs/\\w+/validation_errors', of: 'redaction_jobs/(\\w+)/validation' },
  { method: 'POST', path: '/redaction_jobs/\\w+/run$', of: 'redaction_jobs/(\\w+)/run' },
  { method: 'POST', path: '/redaction_jobs/\\w+/cancel$', of: 'redaction_jobs/(\\w+)/cancel' },
  { method: 'GET', path: '/v1/payment_intents/', of: 'payment_intents/(pi_\\w+)' },
  { method: 'GET', path: '/v1/customers/', of: '/v1/customers/(cus_\\w+)' },
]

/** A person with a customer that Stripe does not know, a payment that is disputed later, and another one. */
async function person(number: number) {
  const made = await harness.signUp()
  const [disputed, other] = [await harness.buy(made), await harness.buy(made)]
  await sql`update accounts set stripe_customer_id = ${`cus_unknown${number}`} where id = ${made.accountId}`
  return { made, disputed, other }
}

async function isRedacted(orderId: string, payments: ReadonlyMap<string, string>): Promise<boolean> {
  const { paymentIntents } = await stripe.state()
  return paymentIntents.find(({ id }) => id === payments.get(orderId))?.redaction?.status === 'redacted'
}

test('redactions with pairs of faults at every call end with all payments redacted, those without a dispute at once', {
  timeout: 400_000,
}, async () => {
  const people = await eachOf(all.keys(), person)
  const payments = new Map(
    (await stripe.state()).paymentIntents.map(({ id, metadata }) => [metadata.order_id ?? '', id]),
  )
  const deletions = await eachOf(people, async ({ made }) => deleteAccount(harness.stack, made))
  const disputes: string[] = []
  for (const { disputed } of people) disputes.push((await stripe.do('open-dispute', { orderId: disputed.id })).dispute)
  // By then an operator has the unknown customers.
  await eachOf(deletions, (deletion) => deletion.fastForward('4 days', { timeoutMs: 180_000 }))
  await plantPairs(stripe, calls, all)
  await plantPairs(
    stripe,
    [{ method: 'POST', path: '/redaction_jobs$', of: 'payment_intents\\S*?=(pi_\\w+)' }],
    creating,
  )

  await stripe.do('clock', { advanceSeconds: 91 * day })
  await eachOf(deletions, (deletion) => deletion.fastForward('92 days', { timeoutMs: 180_000 }))
  for (const [number, { disputed, other }] of people.entries()) {
    expect(await isRedacted(other.id, payments), `pair ${number}: without a dispute`).toBe(true)
    expect(await isRedacted(disputed.id, payments), `pair ${number}: disputed`).toBe(false)
    expect((await deletions[number]?.states())?.stripe_redaction).toBe('pending')
  }

  for (const dispute of disputes) await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await stripe.do('clock', { advanceSeconds: 9 * day })
  await eachOf(deletions, (deletion) => deletion.fastForward('9 days', { timeoutMs: 180_000 }))
  for (const [number, { disputed }] of people.entries()) {
    await deletions[number]?.until('stripe_redaction', 'done')
    expect(await isRedacted(disputed.id, payments), `pair ${number}: disputed`).toBe(true)
  }
  await stripe.clearFaults()
})
