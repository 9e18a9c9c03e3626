/** The actions of the control API (`POST /_control/do/<name>`); sim/stripe.ts lists them. */
import type Stripe from 'stripe'
import { numberField, textField } from '../fields.ts'
import { type Account, idOf } from './account.ts'
import { type Events, sign } from './events.ts'
import { newSavedCard } from './hosted/saved-card.ts'
import { type Planted, plant, plantedPaymentsForm } from './planting.ts'
import type { Parts } from './routes.ts'

type Input = Record<string, unknown>
type Action = (input: Input) => unknown

export interface StripeReplies {
  'save-card': { card: string }
  'pay-out': { payouts: string[] }
  plant: { planted: Planted[] }
  clock: { now: number }
  'open-dispute': { dispute: string }
  'warn-fraud': { warning: string }
  webhooks: { held: string[] }
  release: { released: string[] }
  'send-raw': { status: number; body: string }
}

/**
 * Paid payments with all that belongs to them become older, as if the time since had passed; open ones stay as they
 * are.
 */
function age(account: Account, seconds: number): void {
  const paid = new Set(account.paymentIntents.all().flatMap(({ id, status }) => (status === 'succeeded' ? [id] : [])))
  const charges = account.charges.all().filter(({ payment_intent }) => paid.has(idOf(payment_intent) ?? ''))
  const refunds = account.refunds.all().filter(({ payment_intent }) => paid.has(idOf(payment_intent) ?? ''))
  const aged = new Set([...paid, ...charges.map(({ id }) => id), ...refunds.map(({ id }) => id)])
  const transactions = account.balanceTransactions.all().filter(({ source }) => aged.has(idOf(source) ?? ''))
  const events = account.events.all().filter(({ objectId }) => aged.has(objectId))
  const intents = account.paymentIntents.all().filter(({ id }) => paid.has(id))
  for (const item of [...intents, ...charges, ...refunds, ...transactions, ...events]) item.created -= seconds
  for (const event of events) event.body = JSON.stringify({ ...JSON.parse(event.body), created: event.created })
}

export function createActions(parts: Parts, events: Events) {
  const { account, ledger, payments, protocol } = parts
  return {
    ...paymentActions(parts),
    ...refundActions(parts),
    ...disputeActions(parts),
    'save-card': (input) => {
      const intent = paymentIntent(account, input)
      const charge = present(account.charges.get(idOf(intent.latest_charge) ?? ''), 'charge')
      const card = newSavedCard(account.now(), charge, present(idOf(intent.customer) ?? undefined, 'customer'))
      return { card: account.cards.add(card).id }
    },
    'warn-fraud': (input) => {
      const charge = account.charges.get(idOf(paymentIntent(account, input).latest_charge) ?? '')
      const fraudType = textField(input, 'fraudType') ?? 'made_with_stolen_card'
      const withIntent = flag(input, 'withIntent')
      return { warning: parts.warnings.warn(present(charge, 'charge'), { fraudType, withIntent }).id }
    },
    ...webhookActions(account, events),
    'auto-pay': (input) => {
      account.settings.autoPay = {
        enabled: flag(input, 'enabled'),
        delayMs: numberField(input, 'delayMs') ?? 0,
        riskLevel: textField(input, 'riskLevel') ?? 'normal',
      }
    },
    'pay-out': (input) => {
      const differsBy = numberField(input, 'differsBy')
      const divided = numberField(input, 'parts')
      const payouts = ledger.payOut({
        currency: textField(input, 'currency') ?? 'eur',
        early: input.early === true,
        fails: input.fails === true,
        byHand: input.byHand === true,
        ...(differsBy !== undefined && { differsBy }),
        ...(divided !== undefined && { parts: divided }),
      })
      return { payouts: payouts.map(({ id }) => id) }
    },
    unlisted: (input) => {
      account.unlisted.set(textField(input, 'currency') ?? 'eur', numberField(input, 'amount') ?? 0)
    },
    plant: (input) => plant(parts, plantedPaymentsForm.parse(input.payments)),
    'redaction-access': (input) => {
      account.settings.redactionAccess = flag(input, 'enabled')
    },
    'misbehave-next': (input) =>
      protocol.order({
        path: new RegExp(textField(input, 'path') ?? ''),
        times: numberField(input, 'times') ?? 1,
        delayMs: numberField(input, 'delayMs') ?? 0,
        status: numberField(input, 'status'),
        code: textField(input, 'code'),
        applied: input.applied === true,
      }),
    clock: (input) => {
      account.advance(numberField(input, 'advanceSeconds') ?? 0)
      return { now: account.now() }
    },
    age: (input) => age(account, numberField(input, 'seconds') ?? 0),
    'late-success': (input) => {
      const intent = paymentIntent(account, input)
      account.settings.lateSuccess.add(intent.id)
      return summary(intent)
    },
    cancel: (input) => summary(payments.cancel(paymentIntent(account, input), null)),
  } satisfies Record<string, Action>
}

function paymentActions({ account, payments }: Parts): Record<string, Action> {
  const onIntent = (act: (intent: Stripe.PaymentIntent, input: Input) => unknown): Action => {
    return (input) => {
      const intent = paymentIntent(account, input)
      act(intent, input)
      return summary(intent)
    }
  }
  return {
    pay: onIntent((intent, input) =>
      payments.pay(intent, {
        method: textField(input, 'method'),
        country: input.country === null ? null : textField(input, 'country'),
        riskLevel: textField(input, 'riskLevel'),
        riskScore: numberField(input, 'riskScore'),
        fingerprint: textField(input, 'fingerprint'),
      }),
    ),
    'fail-payment': onIntent((intent, input) =>
      payments.fail(intent, textField(input, 'declineCode') ?? 'generic_decline', textField(input, 'riskLevel')),
    ),
    process: onIntent((intent) => payments.process(intent)),
    'require-action': onIntent((intent) => payments.requireAction(intent)),
  }
}

function refundActions({ account, refunds }: Parts): Record<string, Action> {
  return {
    'pending-refunds': (input) => {
      account.settings.pendingRefunds = flag(input, 'enabled')
      account.settings.pendingReason = textField(input, 'reason') ?? 'processing'
    },
    'settle-refund': (input) => {
      const pending = refundsOf(account, input).filter((refund) => refund.status === 'pending')
      for (const refund of pending) refunds.settle(refund)
      return { settled: pending.map((refund) => refund.id) }
    },
    'fail-refund': (input) => {
      const failable = refundsOf(account, input).filter((refund) => refund.status !== 'failed')
      if (failable.length === 0) account.settings.failNextRefund.add(paymentIntent(account, input).id)
      for (const refund of failable) refunds.fail(refund, textField(input, 'reason'))
      return { failed: failable.map((refund) => refund.id) }
    },
  }
}

function disputeActions({ account, disputes }: Parts) {
  const named = (input: Input): Stripe.Dispute => {
    const id = textField(input, 'dispute')
    const found = id
      ? account.disputes.get(id)
      : account.disputes.by('payment_intent', paymentIntent(account, input).id).at(-1)
    return present(found, 'dispute')
  }
  return {
    'open-dispute': (input) => {
      const charge = account.charges.get(idOf(paymentIntent(account, input).latest_charge) ?? '')
      const given = {
        reason: textField(input, 'reason') ?? 'fraudulent',
        amount: numberField(input, 'amount'),
        dueInDays: input.dueInDays === null ? null : numberField(input, 'dueInDays'),
        networkReasonCode: textField(input, 'networkReasonCode'),
        inquiry: input.inquiry === true,
      }
      return { dispute: disputes.open(present(charge, 'charge'), given).id }
    },
    'prevent-dispute': (input) => {
      const caseType = textField(input, 'caseType')
      if (caseType !== 'block' && caseType !== 'resolution') throw new Error('caseType is block or resolution')
      disputes.prevent(named(input), caseType)
    },
    'review-dispute': (input) => disputes.review(named(input)),
    'close-dispute': (input) => {
      const outcome = textField(input, 'outcome')
      if (outcome !== 'won' && outcome !== 'lost') throw new Error('outcome is won or lost')
      const { id, status } = disputes.decide(named(input), outcome)
      return { dispute: id, status }
    },
  } satisfies Record<string, Action>
}

function webhookActions(account: Account, events: Events) {
  const event = (input: Input) => present(account.events.get(textField(input, 'eventId') ?? ''), 'event')
  return {
    webhooks: ({ url, events: types, ...behaviour }) => {
      if (url !== undefined) events.endpoint.url = String(url) || undefined
      if (Array.isArray(types)) events.endpoint.subscription = types.map(String)
      events.sender.configure(behaviour)
      return { held: events.sender.heldIds() }
    },
    release: async (input) => {
      const released = events.sender.heldIds()
      events.sender.configure({ hold: false })
      await events.sender.release(input)
      return { released }
    },
    resend: (input) => events.deliver(event(input)),
    'send-raw': async (input) => {
      const body = input.body === undefined ? event(input).body : asText(input.body)
      const signed = sign(body, textField(input, 'secret') ?? events.endpoint.secret, numberField(input, 'timestamp'))
      const signature = input.signature === null ? null : (textField(input, 'signature') ?? signed)
      const { url, ...request } = events.request(body, signature)
      const response = await fetch(url, { method: 'POST', ...request, signal: AbortSignal.timeout(30_000) })
      return { status: response.status, body: await response.text() }
    },
  } satisfies Record<string, Action>
}

/** The payment with `paymentIntent` (id or client secret), or the newest one with `orderId` in its metadata. */
function paymentIntent(account: Account, input: Input): Stripe.PaymentIntent {
  const id = textField(input, 'paymentIntent')?.split('_secret_')[0]
  const found = id
    ? account.paymentIntents.get(id)
    : account.paymentIntents.by('order', textField(input, 'orderId') ?? '').at(-1)
  return present(found, 'payment intent')
}

function refundsOf(account: Account, input: Input): Stripe.Refund[] {
  const id = textField(input, 'refund')
  if (id) return [present(account.refunds.get(id), 'refund')]
  if (input.paymentIntent === undefined && input.orderId === undefined) return account.refunds.all()
  return account.refunds.by('payment_intent', paymentIntent(account, input).id)
}

const summary = ({ id, status, latest_charge }: Stripe.PaymentIntent) => ({
  paymentIntent: id,
  status,
  charge: idOf(latest_charge),
})

function present<T>(found: T | undefined, what: string): T {
  if (found === undefined) throw new Error(`no such ${what}`)
  return found
}

const asText = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body))
const flag = (input: Input, name: string): boolean => input[name] !== false
