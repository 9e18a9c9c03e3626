/**
 * U2 and G3: paid means delivered or refunded, and everybody can delete their account at once. Objects of an erased
 * person that Stripe goes on listing are no difference, however late one of them comes up.
 */
import { expect, test } from 'vitest'
import { deleteErasedReferences, findErased } from '../../db/erasure/erased-references.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { differenceKinds } from '../../policy/reconciliation.ts'
import { plusMs } from '../../shared/calendar.ts'
import {
  type ReconciliationReport,
  reconciliationType,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { runLater } from '../harness/temporal/run-later.ts'

const harness = await shareStack({ books: false })
const { sql, cipher } = harness.context
const { stripe } = harness.sims
const { lookBackMs } = periods.reconciliation
const { day: dayMs } = milliseconds

let today = 0
/** Goes to a day after the erasure, at Stripe as well, and compares. */
async function compareOn(day: number): Promise<ReconciliationReport> {
  await stripe.do('clock', { advanceSeconds: ((day - today) * dayMs) / 1000 })
  today = day
  return runLater<ReconciliationReport>(harness.stack, reconciliationType, day, [], { timeoutMs: 400_000 })
}

async function erasedPayment(): Promise<string> {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  const [row] = await sql<{ payment: string }[]>`select payment_intent_id as payment from orders where id = ${id}`
  expectStatus(await harness.service.delete(`/v1/accounts/${person.accountId}`), 200)
  return row?.payment ?? ''
}

const tasks = () => sql`
  select kind, subject_id from attention where resolved_at is null and kind = any(${Object.keys(differenceKinds)})`

test('a refund and a dispute weeks after the erasure are an erased person’s, until they are listed no more', {
  timeout: 300_000,
}, async () => {
  const [refunded, disputed] = [await erasedPayment(), await erasedPayment()]
  // The nights between have deleted what may be deleted.
  await compareOn(41)
  await compareOn(45)
  await harness.context.stripe.refund({
    paymentIntentId: refunded,
    amountMinor: 200,
    idempotencyKey: 'in-the-dashboard',
    reasonCode: 'goodwill',
    lookFirst: false,
  })
  expect((await compareOn(46)).unexplained).toEqual({})

  const { dispute } = await stripe.do('open-dispute', { paymentIntent: disputed })
  expect((await compareOn(51)).unexplained).toEqual({})
  await stripe.do('close-dispute', { dispute, outcome: 'lost' })
  const report = await compareOn(54)
  expect(report.unexplained).toEqual({})
  expect(report.explained.dispute_unknown).toEqual({ erased_person: 1 })
  expect(await tasks()).toEqual([])
})

test('a reference that is listed is kept until it has left the time that is compared, and no longer', async () => {
  const payment = await erasedPayment()
  const erasedAt = new Date()
  const last = plusMs(erasedAt, periods.erasedReferenceMs - dayMs)
  const isKnown = async (at: Date) => (await findErased(sql, cipher, [payment], at)).has(payment)
  expect(await isKnown(last)).toBe(true)
  // A dispute that was opened in the last days is listed for as long as a comparison looks back.
  await deleteErasedReferences(sql, plusMs(last, lookBackMs - dayMs))
  const [row] = await sql<{ until: Date }[]>`select max(forget_after) as until from erased_references`
  expect(row?.until).toEqual(plusMs(last, lookBackMs))
  await deleteErasedReferences(sql, plusMs(last, lookBackMs + dayMs))
  expect(await isKnown(last)).toBe(false)
})
