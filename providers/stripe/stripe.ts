/**
 * Stripe (package stripe 23.1, API 2026-10-28.endive): payments, refunds, disputes, fraud warnings, and the removal of
 * personal data. Every method throws ProviderFailure; any other error is a bug.
 */

import { createBooks } from './books.ts'
import { createStripeClient, type StripeSettings } from './client.ts'
import { createDisputes } from './disputes.ts'
import { createFraudWarnings } from './fraud-warnings.ts'
import { createHistory } from './history.ts'
import { createHostedPayments } from './hosted.ts'
import { createPayments } from './payments.ts'
import { createPersons } from './persons.ts'
import { createRefunds } from './refunds.ts'
import { createWebhookParser } from './webhooks.ts'

export type StripePort = ReturnType<typeof createStripe>

/** The adapter of Stripe. @throws ProviderFailure by each call */
export function createStripe(settings: StripeSettings) {
  const client = createStripeClient(settings)
  const hosted = createHostedPayments(client)
  return {
    /** the key with which the app initialises Stripe; not a secret */
    publishableKey: settings.publishableKey,
    /** whether the settings allow redaction jobs */
    redactionConfigured: Boolean(settings.redactionApiVersion),
    ...createPayments(client, hosted),
    ...hosted,
    ...createHistory(client),
    ...createBooks(client),
    ...createRefunds(client),
    ...createDisputes(client),
    ...createFraudWarnings(client),
    ...createPersons(client, settings.redactionApiVersion),
    parseWebhook: createWebhookParser(client.sdk, settings.webhookSecret),
  }
}
