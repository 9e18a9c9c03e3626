/**
 * Conversion measurement with minimal data: value and time of a purchase, under a random id that has no other use.
 * Meta Conversions API (developers.facebook.com/docs/marketing-api/conversions-api) and GA4 Measurement Protocol
 * (developers.google.com/analytics/devguides/collection/protocol/ga4).
 */
import { z } from 'zod'
import type { CallWatch } from './call-watch.ts'
import { documented, undocumented } from './codes/meaning.ts'
import { metaMeaning } from './codes/measurement.ts'
import { ProviderFailure } from './failure.ts'
import { callProvider, jsonOf, readReply } from './provider-call.ts'

export interface MeasurementSettings {
  meta?: { baseUrl: string; apiVersion: string; datasetId: string; accessToken: string } | undefined
  googleAnalytics?: { baseUrl: string; firebaseAppId: string; apiSecret: string } | undefined
  /** for each request, in milliseconds; default 5 s */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

export interface Purchase {
  /** a random UUID for measurement alone, never the number of an order or invoice */
  eventId: string
  eventTime: Date
  /** in the currency's main unit, such as 9.9 euros */
  value: number
  /** ISO 4217 */
  currency: string
  /** SHA-256 in hexadecimal of an id for Meta alone */
  metaExternalIdHash?: string | undefined
  /** from the app's Firebase SDK */
  gaAppInstanceId?: string | undefined
  /** the consent at the time of sending */
  consent: { adUserData: boolean; adPersonalization: boolean }
}

/**
 * `no_identifier`: the purchase has no identifier to attach the event to.
 * `no_consent`: the person did not agree to ad measurement, hence nothing was sent.
 */
export type MeasurementResult = 'sent' | 'too_old' | 'not_configured' | 'no_identifier' | 'no_consent'

const day = 86_400_000
/** Meta refuses a whole request with one older event; Google drops an older event silently. */
const measurementLimitsMs = { meta: 7 * day, googleAnalytics: 3 * day } as const

/** Sends purchases to Meta and Google Analytics. @param timeoutMs of each request */
export function createMeasurement({ meta, googleAnalytics, timeoutMs = 5_000, watch }: MeasurementSettings) {
  const callOf = (provider: string, url: URL, body: object) => ({
    provider,
    method: 'POST' as const,
    url,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    timeoutMs,
    changes: true,
    watch,
  })

  /** Safe to repeat: Meta drops a second event with the same id within 48 hours. */
  async function sendToMeta(purchase: Purchase, asOf: Date): Promise<MeasurementResult> {
    if (!meta) return 'not_configured'
    const held = heldBack(purchase, asOf, measurementLimitsMs.meta)
    if (held) return held
    if (!purchase.metaExternalIdHash) return 'no_identifier'
    const event = {
      event_name: 'Purchase',
      event_time: Math.floor(purchase.eventTime.getTime() / 1000),
      event_id: purchase.eventId,
      // P3, ad measurement gets a purchase and its value: of source `app`, Meta demands platform and OS version of the
      // device, which are neither. Events of other sources than `app` and `website` need `action_source` alone
      // (parameters/server-event).
      action_source: 'other',
      user_data: { external_id: [purchase.metaExternalIdHash] },
      custom_data: { currency: purchase.currency.toUpperCase(), value: purchase.value },
      // Limited Data Use; country and state 0 leave it to Meta to find out whether a US state's law applies.
      data_processing_options: ['LDU'],
      data_processing_options_country: 0,
      data_processing_options_state: 0,
      opt_out: !purchase.consent.adPersonalization,
    }
    const url = new URL(`/${meta.apiVersion}/${meta.datasetId}/events`, meta.baseUrl)
    // The token is in the body, since query strings end up in logs.
    const body = { data: [event], access_token: meta.accessToken }
    const call = { ...callOf('meta', url, body), isTheirs: isGraphs }
    const { status, text } = await callProvider(call)
    if (status !== 200) throw metaFailure(status, text)
    readReply(call, jsonOf(text), taken)
    return 'sent'
  }

  /**
   * Google does not say whether it accepted an event, and may count a second one: only a failed call may be repeated.
   */
  async function sendToGoogleAnalytics(purchase: Purchase, asOf: Date): Promise<MeasurementResult> {
    if (!googleAnalytics) return 'not_configured'
    const held = heldBack(purchase, asOf, measurementLimitsMs.googleAnalytics)
    if (held) return held
    if (!purchase.gaAppInstanceId) return 'no_identifier'
    const url = new URL('/mp/collect', googleAnalytics.baseUrl)
    url.searchParams.set('firebase_app_id', googleAnalytics.firebaseAppId)
    // The protocol accepts the secret in the query string only.
    url.searchParams.set('api_secret', googleAnalytics.apiSecret)
    const currency = purchase.currency.toUpperCase()
    const body = {
      app_instance_id: purchase.gaAppInstanceId,
      timestamp_micros: purchase.eventTime.getTime() * 1000,
      consent: {
        ad_user_data: 'GRANTED',
        ad_personalization: purchase.consent.adPersonalization ? 'GRANTED' : 'DENIED',
      },
      events: [{ name: 'purchase', params: { transaction_id: purchase.eventId, currency, value: purchase.value } }],
    }
    const { status } = await callProvider(callOf('google_analytics', url, body))
    // Google documents no refusal, so that nothing was counted.
    if (status >= 300) throw undocumented('google_analytics', `http_${status}`, false)
    return 'sent'
  }

  return {
    sendToMeta,
    sendToGoogleAnalytics,

    /**
     * Sends a purchase to both. Meta comes first: it drops the repetition that follows a failure at Google.
     * @param asOf the caller's time, for the age limits
     * @throws ProviderFailure
     */
    async sendPurchase(
      purchase: Purchase,
      asOf: Date,
    ): Promise<{ meta: MeasurementResult; googleAnalytics: MeasurementResult }> {
      const toMeta = await sendToMeta(purchase, asOf)
      return { meta: toMeta, googleAnalytics: await sendToGoogleAnalytics(purchase, asOf) }
    },
  }
}

function heldBack({ consent, eventTime }: Purchase, asOf: Date, limitMs: number): 'no_consent' | 'too_old' | undefined {
  if (!consent.adUserData) return 'no_consent'
  return asOf.getTime() - eventTime.getTime() > limitMs ? 'too_old' : undefined
}

/** A refused event was not counted. */
function metaFailure(status: number, text: string): ProviderFailure {
  const { code, is_transient: transient } = graphError(text)
  if (code === undefined && (status === 401 || status === 403))
    return new ProviderFailure('meta', 'misconfigured', `http_${status}`)
  if (code === undefined) return undocumented('meta', `http_${status}`, false)
  if (transient === true) return new ProviderFailure('meta', 'unavailable', `graph_${code}`)
  const meaning = metaMeaning(code)
  return meaning ? documented('meta', meaning, false) : undocumented('meta', `graph_${code}`, false)
}

/** Meta names how many events it has taken. A reply without that is of another server, such as the page of a proxy. */
const taken = z.object({ events_received: z.int().positive() })

const graphReply = z.object({
  error: z.object({ code: z.int().optional().catch(undefined), is_transient: z.unknown().optional() }),
})

const isGraphs = (text: string): boolean => graphReply.safeParse(jsonOf(text)).success

function graphError(text: string): { code?: number | undefined; is_transient?: unknown } {
  return graphReply.safeParse(jsonOf(text)).data?.error ?? {}
}
