/**
 * Early fraud warnings of card issuers. One is actionable until its payment is disputed or fully refunded; then Stripe
 * updates it: docs.stripe.com/api/early_fraud_warnings/object
 */
import type Stripe from 'stripe'
import { type Account, idOf, newId } from './account.ts'
import type { Events } from './events.ts'

export type FraudWarnings = ReturnType<typeof createFraudWarnings>

export function createFraudWarnings(account: Account, events: Events) {
  const isActionable = (charge: Stripe.Charge): boolean => !charge.disputed && !charge.refunded

  /** @param given.withIntent false: the warning names the charge alone, since its payment_intent is optional */
  function warn(
    charge: Stripe.Charge,
    given: { fraudType: string; withIntent: boolean },
  ): Stripe.Radar.EarlyFraudWarning {
    if (!charge.paid) throw new Error('only a paid charge can be warned about')
    const intent = idOf(charge.payment_intent)
    const warning = account.fraudWarnings.add({
      id: newId('issfr'),
      object: 'radar.early_fraud_warning',
      actionable: isActionable(charge),
      charge: charge.id,
      created: account.now(),
      fraud_type: given.fraudType,
      livemode: false,
      ...(intent && given.withIntent ? { payment_intent: intent } : {}),
    })
    events.emit('radar.early_fraud_warning.created', warning)
    return warning
  }

  /** To be called when a charge was disputed or refunded. */
  function follow(charge: Stripe.Charge): void {
    for (const warning of account.fraudWarnings.by('charge', charge.id)) {
      const actionable = isActionable(charge)
      if (warning.actionable === actionable) continue
      warning.actionable = actionable
      events.emit('radar.early_fraud_warning.updated', warning, { actionable: !actionable })
    }
  }

  return { warn, follow }
}
