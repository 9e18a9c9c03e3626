/** Redacts the personal data in Stripe's records of an erased person, possible from 90 days after a payment. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { type DeletionSecrets, resealSecret } from '../../db/erasure/deletion-seals.ts'
import type { StepOutcome } from '../../policy/deletion.ts'
import { milliseconds } from '../../policy/periods.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { isPageId } from '../../providers/stripe/hosted.ts'
import { type Redaction, redactionBatchSize } from '../../providers/stripe/persons.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { asNotFoundYet, paymentFailureTypes, withFailureTypes } from '../failures.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'redactAtStripe'>
type Payments = NonNullable<DeletionSecrets['payments']>
type Job = NonNullable<Payments['job']>
type Objects = Pick<Payments, 'paymentIntentIds' | 'customerIds'>

/** Stripe works in the background, mostly within seconds. */
const pollsMs = [200, 500, 1000, 2000, 4000]
const pollLaterMs = milliseconds.minute
/** Stripe refuses redaction while a payment is too young or disputed, and disputes take months */
const tryAgainMs = 7 * milliseconds.day
const maxRefusals = 26
const unavailable = ['redaction_not_configured', 'redaction_not_available']

export function createDeletionRedactionActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    async redactAtStripe(step) {
      return withSecret(context, { ...step, processor: 'stripe_redaction', part: 'payments' }, (payments) =>
        withFailureTypes(paymentFailureTypes, () => redact(step.receiptId, payments)),
      )
    },
  }

  async function redact(receiptId: string, sealed: Payments): Promise<StepOutcome> {
    let payments = sealed
    const keep = async (change: Partial<Payments>): Promise<void> => {
      payments = { ...payments, ...change }
      await resealSecret(sql, context, receiptId, 'payments', payments)
    }
    try {
      for (;;) {
        const job = payments.job ?? (await openJob(payments))
        if (!job) break
        if (!payments.job) await keep({ job })
        const { status, refused } = await runJob(job).catch(asNotFoundYet)
        if (status === 'succeeded') await keep({ ...without(payments, job), job: null })
        else {
          const unknown = await unknownOf(refused, payments)
          const setAside = refused.filter(
            (id) => !unknown.paymentIntentIds.includes(id) && !unknown.customerIds.includes(id),
          )
          await keep({
            ...without(payments, unknown),
            setAside: [...payments.setAside, ...setAside],
            job: null,
          })
        }
      }
      if (payments.setAside.length === 0) return { state: 'done' }
      if (payments.refusals >= maxRefusals) return { state: 'needs_operator', code: 'redaction_refused' }
      await keep({ setAside: [], refusals: payments.refusals + 1 })
    } catch (error) {
      if (isProviderFailure(error) && unavailable.includes(error.code))
        return { state: 'not_enabled', code: error.code }
      throw error
    }
    throw failure('ErasureIncomplete', { code: 'redaction_refused', nextRetryDelay: tryAgainMs })
  }

  /** Opens the next job; undefined when only objects that Stripe has refused are left. */
  async function openJob({ paymentIntentIds, customerIds, setAside, refusals }: Payments): Promise<Job | undefined> {
    const isNext = (id: string): boolean => !setAside.includes(id)
    const batch = {
      customerIds: customerIds.filter(isNext).slice(0, 1),
      paymentIntentIds: together(paymentIntentIds.filter(isNext), redactionBatchSize - 1),
    }
    const [first] = [...batch.paymentIntentIds, ...batch.customerIds]
    if (!first) return undefined
    const left = paymentIntentIds.length + customerIds.length
    const key = `erased-${first}:redact-${refusals}-${setAside.length}-${left}`
    const { redactionId } = await stripe.redact(batch, key)
    return { id: redactionId, ...batch }
  }

  /** Runs a job when Stripe has validated it. A refused job is cancelled, because it locks its payments. */
  async function runJob(job: Job): Promise<{ status: Redaction['status']; refused: string[] }> {
    const validated = await waitWhileWorking(await stripe.getRedaction(job.id))
    if (validated.status === 'ready')
      return { ...(await waitWhileWorking(await stripe.runRedaction(job.id, `${job.id}:run`))), refused: [] }
    if (validated.status === 'succeeded') return { status: 'succeeded', refused: [] }
    if (validated.status === 'failed') await waitWhileWorking(await stripe.cancelRedaction(job.id, `${job.id}:cancel`))
    const named = validated.problems.flatMap(({ objectId }) => objectId ?? [])
    return {
      status: validated.status,
      refused: named.length > 0 ? named : [...job.paymentIntentIds, ...job.customerIds],
    }
  }

  /** Returns the objects that Stripe does not have: they need no redaction. */
  async function unknownOf(ids: string[], { paymentIntentIds, customerIds }: Payments): Promise<Objects> {
    const unknown: Objects = { paymentIntentIds: [], customerIds: [] }
    for (const id of ids) {
      if (paymentIntentIds.includes(id) && (await isUnknown(() => isKnownPayment(id))))
        unknown.paymentIntentIds.push(id)
      if (customerIds.includes(id) && (await isUnknown(() => isKnownCustomer(id)))) unknown.customerIds.push(id)
    }
    return unknown
  }

  /** Asks twice: one of Stripe's machines may not know an object at the moment, and nobody would ask for it again. */
  async function isUnknown(isKnown: () => Promise<boolean>): Promise<boolean> {
    return !(await isKnown()) && !(await isKnown())
  }

  async function isKnownCustomer(id: string): Promise<boolean> {
    return (await stripe.customerState(id)) !== 'unknown'
  }

  async function isKnownPayment(id: string): Promise<boolean> {
    try {
      await (isPageId(id) ? stripe.getHostedPayment(id) : stripe.getPayment(id))
      return true
    } catch (error) {
      if (isProviderFailure(error, 'resource_missing')) return false
      throw error
    }
  }

  async function waitWhileWorking(redaction: Redaction): Promise<Redaction> {
    let seen = redaction
    for (const waitMs of pollsMs) {
      if (!['created', 'validating', 'redacting', 'canceling'].includes(seen.status)) return seen
      await pause(waitMs)
      seen = await stripe.getRedaction(redaction.redactionId)
    }
    throw failure('ErasureIncomplete', { code: `redaction_${seen.status}`, nextRetryDelay: pollLaterMs })
  }
}

/** The first ids, at most so many. A payment goes with its page, which is behind it. */
function together(ids: readonly string[], most: number): string[] {
  const isCut = ids.length > most && most > 1 && isPageId(ids[most] ?? '') && !isPageId(ids[most - 1] ?? '')
  return ids.slice(0, isCut ? most - 1 : most)
}

function without(payments: Payments, gone: Objects): Objects {
  return {
    paymentIntentIds: payments.paymentIntentIds.filter((id) => !gone.paymentIntentIds.includes(id)),
    customerIds: payments.customerIds.filter((id) => !gone.customerIds.includes(id)),
  }
}
