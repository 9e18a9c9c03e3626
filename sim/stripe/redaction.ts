/**
 * Redaction jobs, a public preview that is not in the SDK: docs.stripe.com/privacy/redaction and
 * docs.stripe.com/api/privacy/redaction-job. Stripe works in the background; here the next read of a job does its work.
 */
import type Stripe from 'stripe'
import { type Account, newId } from './account.ts'
import { isUndecided } from './disputes.ts'
import { invalidParameter, refusedByState } from './refusal.ts'

/** Stripe redacts transactions only after 90 days: docs.stripe.com/privacy/deletion-requests */
const fraudWindowSeconds = 90 * 86_400
const maximumObjects = 10

interface ValidationError {
  id: string
  object: 'privacy.redaction_job_validation_error'
  code: 'invalid_state' | 'locked_by_other_job'
  erroring_object: { id: string; object_type: string }
  message: string
}

/** The preview's field on an object; the SDK's types do not have it. */
export interface Redactable {
  redaction?: { status: 'redacted' }
}

export interface RedactionJob {
  id: string
  object: 'privacy.redaction_job'
  created: number
  livemode: boolean
  objects: { charges: string[]; customers: string[]; payment_intents: string[] }
  status: 'created' | 'validating' | 'ready' | 'failed' | 'redacting' | 'succeeded' | 'canceling' | 'canceled'
  validation_behavior: string
  validation_errors: { object: 'list'; data: ValidationError[]; has_more: boolean; url: string }
}

export type Redactions = ReturnType<typeof createRedactions>

export function createRedactions(account: Account) {
  function create(objects: RedactionJob['objects'], validationBehavior: string): RedactionJob {
    const count = objects.charges.length + objects.customers.length + objects.payment_intents.length
    if (count === 0) throw invalidParameter('parameter_missing', 'objects', 'Missing required param: objects.')
    if (count > maximumObjects) throw invalidParameter('parameter_invalid_integer', 'objects', 'Too many objects.')
    const id = newId('prj')
    const url = `/v1/privacy/redaction_jobs/${id}/validation_errors`
    return account.redactions.add({
      id,
      object: 'privacy.redaction_job',
      created: account.now(),
      livemode: false,
      objects,
      status: 'validating',
      validation_behavior: validationBehavior,
      validation_errors: { object: 'list', data: [], has_more: false, url },
    })
  }

  /** Does the background work since the last read. */
  function look(job: RedactionJob): RedactionJob {
    if (job.status === 'validating') {
      job.validation_errors.data = problems(job)
      job.status = job.validation_errors.data.length > 0 ? 'failed' : 'ready'
    } else if (job.status === 'redacting') {
      redact(job)
      job.status = 'succeeded'
    } else if (job.status === 'canceling') {
      job.status = 'canceled'
    }
    return job
  }

  function move(job: RedactionJob, from: RedactionJob['status'][], to: RedactionJob['status']): RedactionJob {
    if (!from.includes(job.status)) {
      throw refusedByState('status_transition_invalid', `The job is ${job.status}, not ${from.join(' or ')}.`)
    }
    job.status = to
    return job
  }

  function problems(job: RedactionJob): ValidationError[] {
    const found: ValidationError[] = []
    const add = (id: string, type: string, code: ValidationError['code'], message: string): void => {
      const object = 'privacy.redaction_job_validation_error'
      found.push({ id: newId('prjve'), object, code, erroring_object: { id, object_type: type }, message })
    }
    for (const [type, id] of targets(job)) {
      const holder = account.redactions
        .all()
        .find((other) => other !== job && holds(other) && targets(other).some(([, target]) => target === id))
      if (holder) add(id, type, 'locked_by_other_job', 'Another job holds this object.')
      const problem = stateProblem(type, id)
      if (problem) add(id, type, 'invalid_state', problem)
    }
    return found.slice(0, 10)
  }

  function stateProblem(type: string, id: string): string | undefined {
    if (type === 'customer') {
      const known = account.customers.get(id) ?? account.deletedCustomers.get(id)
      return known ? undefined : 'There is no such customer.'
    }
    const intent = type === 'payment_intent' ? account.paymentIntents.get(id) : undefined
    if (type === 'payment_intent') {
      if (!intent) return 'There is no such PaymentIntent.'
      if (intent.status !== 'succeeded' && intent.status !== 'canceled') return `The PaymentIntent is ${intent.status}.`
    }
    const charges = chargesOf(type, id)
    if (type === 'charge' && charges.length === 0) return 'There is no such charge.'
    const newest = Math.max(intent?.created ?? 0, ...charges.map((charge) => charge.created))
    if (newest > account.now() - fraudWindowSeconds) return 'The transaction is less than 90 days old.'
    const disputes = charges.flatMap((charge) => account.disputes.by('charge', charge.id))
    return disputes.some(isUndecided) ? 'A dispute is open.' : undefined
  }

  function redact(job: RedactionJob): void {
    const redacted: Redactable = { redaction: { status: 'redacted' } }
    for (const [type, id] of targets(job)) {
      const intent = account.paymentIntents.get(id)
      if (intent) Object.assign(intent, { metadata: {}, customer: null, ...redacted })
      for (const charge of chargesOf(type, id)) {
        Object.assign(charge, { metadata: {}, customer: null, payment_method_details: null, ...redacted })
      }
    }
  }

  const chargesOf = (type: string, id: string): Stripe.Charge[] =>
    type === 'payment_intent' ? account.charges.by('payment_intent', id) : [account.charges.get(id)].filter((c) => !!c)

  return { create, look, move }
}

function targets({ objects }: RedactionJob): [type: string, id: string][] {
  return [
    ...objects.customers.map((id): [string, string] => ['customer', id]),
    ...objects.payment_intents.map((id): [string, string] => ['payment_intent', id]),
    ...objects.charges.map((id): [string, string] => ['charge', id]),
  ]
}

const holds = (job: RedactionJob): boolean => !['succeeded', 'canceled'].includes(job.status)
