/**
 * Stripe (package stripe 23.1, API 2026-10-28.endive): payments, refunds, disputes, and the removal of a person. Every
 * method throws ProviderFailure and nothing else on purpose.
 */
import { createStripeClient, type StripeSettings } from './client.ts'
import { createPayments } from './payments.ts'
import { createPersons } from './persons.ts'
import { createRefunds } from './refunds.ts'
import { createWebhookParser } from './webhooks.ts'

export type StripePort = ReturnType<typeof createStripe>

export function createStripe(settings: StripeSettings) {
  const client = createStripeClient(settings)
  return {
    /** what the app initialises Stripe with; not a secret */
    publishableKey: settings.publishableKey,
    /** whether redaction jobs can be asked for at all */
    redactionConfigured: Boolean(settings.redactionApiVersion),
    ...createPayments(client),
    ...createRefunds(client),
    ...createPersons(client, settings.redactionApiVersion),
    parseWebhook: createWebhookParser(client.sdk, settings.webhookSecret),
  }
}
