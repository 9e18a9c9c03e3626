/**
 * Redaction jobs, a public preview that is not in the SDK: docs.stripe.com/privacy/redaction and
 * docs.stripe.com/api/privacy/redaction-job. Stripe works in the background; here the next read of a job does its work.
 */
import type Stripe from 'stripe'
import { type Account, idOf, newId } from './account.ts'
import { cut, type PageRequest } from './collection.ts'
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

/** Stripe names each kind of object that a job can hold, also without ids. */
interface RedactionObjects {
  charges: string[]
  checkout_sessions: string[]
  customers: string[]
  identity_verification_sessions: string[]
  invoices: string[]
  issuing_cardholders: string[]
  payment_intents: string[]
  radar_value_list_items: string[]
  setup_intents: string[]
}

/** The job as an answer without `expand` has it: the errors of its validation are a list of their own. */
export interface RedactionJob {
  id: string
  object: 'privacy.redaction_job'
  created: number
  livemode: boolean
  objects: RedactionObjects
  status: 'created' | 'validating' | 'ready' | 'failed' | 'redacting' | 'succeeded' | 'canceling' | 'canceled'
  validation_behavior: string
}

export type Redactions = ReturnType<typeof createRedactions>

export function createRedactions(account: Account) {
  const errors = new WeakMap<RedactionJob, ValidationError[]>()

  function create(
    given: Pick<RedactionObjects, 'charges' | 'checkout_sessions' | 'customers' | 'payment_intents'>,
    validationBehavior: string,
  ): RedactionJob {
    const count = Object.values(given).flat().length
    if (count === 0) throw invalidParameter('parameter_missing', 'objects', 'Missing required param: objects.')
    if (count > maximumObjects) throw invalidParameter('parameter_invalid_integer', 'objects', 'Too many objects.')
    const objects = {
      ...given,
      identity_verification_sessions: [],
      invoices: [],
      issuing_cardholders: [],
      radar_value_list_items: [],
      setup_intents: [],
    }
    return account.redactions.add({
      id: newId('prj'),
      object: 'privacy.redaction_job',
      created: account.now(),
      livemode: false,
      objects,
      status: 'validating',
      validation_behavior: validationBehavior,
    })
  }

  /** Does the background work since the last read. */
  function look(job: RedactionJob): RedactionJob {
    if (job.status === 'validating') {
      const found = problems(job)
      errors.set(job, found)
      job.status = found.length > 0 ? 'failed' : 'ready'
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
    return found
  }

  function stateProblem(type: string, id: string): string | undefined {
    if (type === 'customer') {
      const known = account.customers.get(id) ?? account.deletedCustomers.get(id)
      return known ? undefined : 'There is no such customer.'
    }
    if (type === 'checkout_session') {
      const session = account.sessions.get(id)
      if (!session) return 'There is no such Checkout Session.'
      if (session.status === 'open' && session.expires_at > account.now()) return 'The Checkout Session is open.'
      const paid = idOf(session.payment_intent)
      return paid === null ? undefined : stateProblem('payment_intent', paid)
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
      const session = account.sessions.get(id)
      if (session) Object.assign(session, { metadata: {}, customer: null, customer_details: null, ...redacted })
      const intent = account.paymentIntents.get(id)
      if (intent) Object.assign(intent, { metadata: {}, customer: null, ...redacted })
      for (const charge of chargesOf(type, id)) {
        Object.assign(charge, { metadata: {}, customer: null, payment_method_details: null, ...redacted })
      }
    }
  }

  const chargesOf = (type: string, id: string): Stripe.Charge[] =>
    type === 'payment_intent' ? account.charges.by('payment_intent', id) : [account.charges.get(id)].filter((c) => !!c)

  const validationErrors = (job: RedactionJob, request: PageRequest) => ({
    object: 'list' as const,
    ...cut(errors.get(job) ?? [], request),
    url: `/v1/privacy/redaction_jobs/${job.id}/validation_errors`,
  })

  return { create, look, move, validationErrors }
}

function targets({ objects }: RedactionJob): [type: string, id: string][] {
  return [
    ...objects.customers.map((id): [string, string] => ['customer', id]),
    ...objects.payment_intents.map((id): [string, string] => ['payment_intent', id]),
    ...objects.charges.map((id): [string, string] => ['charge', id]),
    ...objects.checkout_sessions.map((id): [string, string] => ['checkout_session', id]),
  ]
}

const holds = (job: RedactionJob): boolean => !['succeeded', 'canceled'].includes(job.status)
