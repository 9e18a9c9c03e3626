/** G3 at Stripe, after 90 days: its payments are redacted too, also when that takes long. */
import { afterEach, expect, test } from 'vitest'
import { type Deletion, deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import type { Person } from '../harness/people.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { sql } = harness.context
const day = 86_400

afterEach(() => stripe.do('redaction-access', { enabled: true }))

const erase = (person: Person) => deleteAccount(harness.stack, person)

/** Moves the clocks of the run and of Stripe. */
async function pass(deletion: Deletion, days: number): Promise<void> {
  await stripe.do('clock', { advanceSeconds: days * day })
  await deletion.fastForward(`${days} days`)
}

async function redacted(): Promise<string[]> {
  const { paymentIntents } = await stripe.state()
  return paymentIntents.filter(({ redaction }) => redaction?.status === 'redacted').map(({ id }) => id)
}

test('payments are redacted at Stripe on the ninetieth day and not before', async () => {
  const person = await harness.signUp()
  for (const savedCards of [true, false]) await harness.buy(person, { order: { savedCards } })
  const { paymentIntents } = await stripe.state()
  const deletion = await erase(person)
  await pass(deletion, 89)
  expect((await stripe.state()).redactions).toEqual([])
  expect((await deletion.states()).stripe_redaction).toBe('pending')
  // The seal contains only the objects of the job until then.
  const [seal] = await sql`select * from deletion_seals where receipt_id = ${deletion.receiptId}`
  const sealed = Object.entries(seal ?? {}).flatMap(([name, value]) => (value === null ? [] : [name]))
  expect(sealed).toEqual(['receipt_id', 'payments'])
  await pass(deletion, 2)
  await deletion.until('stripe_redaction', 'done')
  expect(await redacted()).toEqual(paymentIntents.map(({ id }) => id))
  const { redactions } = await stripe.state()
  expect(redactions.map(({ status, objects }) => [status, objects.customers.length])).toEqual([['succeeded', 1]])
  expect((await deletion.receipt()).completedAt).not.toBeNull()
})

test('G3: Stripe’s pages, on which people type their address, are redacted with their payments, also unpaid ones', async () => {
  const person = await harness.signUp()
  const pages: string[] = []
  const payments: string[] = []
  const { now } = await stripe.do('clock', {})
  for (let orders = 0; orders < 6; orders += 1) {
    const { id: orderId } = await harness.buy(person, { pay: false })
    const { sessionId } = await harness.context.stripe.createHostedPayment({
      ...{ orderId, amountMinor: 990, currency: 'EUR', name: 'eSIM', mark: 'of_the_order', locale: 'en' },
      ...{ successUrl: 'https://shop.example/', cancelUrl: 'https://shop.example/', idempotencyKey: `page-${orderId}` },
      expiresAt: new Date((now + 3_600) * 1_000),
    })
    pages.push(sessionId)
    // The last one has no payment: its person has only opened the page.
    const [row] = await sql<{ payment: string | null }[]>`update orders set checkout_session_id = ${sessionId},
      payment_intent_id = ${orders === 5 ? null : sql`payment_intent_id`} where id = ${orderId}
      returning payment_intent_id as payment`
    if (row?.payment) payments.push(row.payment)
  }
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await pass(deletion, 91)
  await deletion.until('stripe_redaction', 'done')
  const { sessions, redactions } = await stripe.state()
  const isRedacted = (id: string) => sessions.find((session) => session.id === id)?.redaction?.status
  expect(pages.map(isRedacted)).toEqual(pages.map(() => 'redacted'))
  // A payment and its page are in one job: Stripe redacts what hangs together at once.
  const jobOf = (payment: string) => redactions.find(({ objects }) => objects.payment_intents.includes(payment))
  expect(payments.map((payment, at) => jobOf(payment)?.objects.checkout_sessions.includes(pages[at] ?? ''))).toEqual(
    Array.from({ length: 5 }, () => true),
  )
})

test('more payments than a redaction job accepts are redacted by several jobs', async () => {
  const person = await harness.signUp()
  for (let orders = 0; orders < 12; orders += 1) await harness.buy(person, { pay: false })
  const before = (await redacted()).length
  const deletion = await erase(person)
  await deletion.until('stripe', 'done')
  await pass(deletion, 91)
  await deletion.until('stripe_redaction', 'done')
  expect(await redacted()).toHaveLength(before + 12)
})

test('the redaction of a disputed payment is retried until the bank has decided; others do not wait for it', async () => {
  const person = await harness.signUp()
  const [disputed, other] = [await harness.buy(person), await harness.buy(person)]
  const { paymentIntents } = await stripe.state()
  const paymentOf = (orderId: string) => paymentIntents.find(({ metadata }) => metadata.order_id === orderId)?.id ?? ''
  const deletion = await erase(person)
  const { dispute } = await stripe.do('open-dispute', { orderId: disputed.id })
  await pass(deletion, 91)
  expect((await deletion.states()).stripe_redaction).toBe('pending')
  expect(await redacted()).toContain(paymentOf(other.id))
  expect(await redacted()).not.toContain(paymentOf(disputed.id))
  await stripe.do('close-dispute', { dispute, outcome: 'won' })
  await pass(deletion, 8)
  await deletion.until('stripe_redaction', 'done')
  expect(await redacted()).toContain(paymentOf(disputed.id))
})

test('a payment that Stripe does not know needs no redaction', async () => {
  const person = await harness.signUp()
  await harness.buy(person, { order: { savedCards: true } })
  const gone = await harness.buy(person, { pay: false })
  await sql`update accounts set stripe_customer_id = 'cus_unknown' where id = ${person.accountId}`
  await sql`update orders set payment_intent_id = 'pi_unknown' where id = ${gone.id}`
  const before = (await redacted()).length
  const deletion = await erase(person)
  await pass(deletion, 91)
  await deletion.until('stripe_redaction', 'done')
  expect(await redacted()).toHaveLength(before + 1)
})

test('without access to the redaction preview the receipt shows it and is complete', async () => {
  await stripe.do('redaction-access', { enabled: false })
  const person = await harness.signUp()
  await harness.buy(person)
  const deletion = await erase(person)
  await pass(deletion, 91)
  expect(await deletion.until('stripe_redaction', 'not_enabled')).toMatchObject({ code: 'redaction_not_available' })
  await untilValue('it is complete', deletion.receipt, ({ completedAt }) => completedAt !== null)
  expect(await sql`select 1 from deletion_seals where receipt_id = ${deletion.receiptId}`).toHaveLength(0)
})
