/** Translates Airalo's replies into the terms of providers/esim.ts. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { z } from 'zod'
import { airaloOrderStatuses, airaloUsageStatuses } from '../codes/esim-values.ts'
import { lookUp, type ReportUnlisted } from '../codes/meaning.ts'
import type {
  EsimStatus,
  ListedOrder,
  Networks,
  ProvidedEsim,
  ProviderHint,
  ProviderPackage,
  ValidityStart,
  WebhookEvent,
  WebhookRequest,
} from '../esim.ts'
import { MEGABYTE, readTime, toMicros } from '../esim-units.ts'
import { ProviderFailure } from '../failure.ts'
import { normaliseActivationCode } from '../lpa.ts'
import { jsonOf, readEach, translateEach } from '../provider-call.ts'
import {
  type AiraloDestination,
  type AiraloOperator,
  type AiraloPackage,
  type AiraloSim,
  type describedSchema,
  destinationSchema,
  type listedOrderSchema,
  operatorSchema,
  PROVIDER,
  packageSchema,
  type usageSchema,
  webhookSchema,
} from './wire.ts'

/** P1, the eSIM provider gets technical identifiers only: operators that verify the buyer's identity are left out. */
export function readPackages(
  destinations: readonly unknown[],
  discountPercent: number,
  onUnreadable: (entry: unknown) => void,
): ProviderPackage[] {
  return readEach(destinations, destinationSchema, onUnreadable).flatMap((destination) =>
    readEach(destination.operators, operatorSchema, onUnreadable)
      .filter((operator) => !operator.is_kyc_verify)
      .flatMap((operator) =>
        translateEach(
          readEach(operator.packages, packageSchema, onUnreadable),
          (each) => [readPackage(destination, operator, each, discountPercent)],
          onUnreadable,
        ),
      ),
  )
}

const activationPolicies: Record<string, ValidityStart> = { installation: 'installation', 'first-usage': 'first_use' }

function readPackage(
  destination: AiraloDestination,
  operator: AiraloOperator,
  each: AiraloPackage,
  discountPercent: number,
): ProviderPackage {
  const countries = operator.countries.map(({ country_code }) => country_code)
  const codes = countries.length > 0 ? countries : [destination.country_code ?? '']
  return {
    code: each.id,
    kind: each.type === 'sim' ? 'base' : 'top_up',
    name: `${destination.title} ${each.title}`,
    destinations: codes.filter((code) => /^[A-Z]{2}$/.test(code)),
    dataBytes: each.is_unlimited ? null : each.amount * MEGABYTE,
    daily: false,
    days: each.day,
    costMicros: readCost(each, discountPercent),
    costCurrency: 'USD',
    validityStarts: activationPolicies[operator.activation_policy ?? ''] ?? null,
    family: operator.id,
    supportsTopUp: operator.rechargeability,
    networks: readNetworks(operator),
  }
}

/** Airalo names a country of the coverage by its code; in older replies the name is the code. */
function readNetworks({ coverages }: AiraloOperator): Networks | null {
  const networks = (coverages ?? []).flatMap(({ name, code, networks: used }) => {
    const destination = [code, name].find((text) => /^[A-Z]{2}$/.test(text ?? ''))
    return destination ? used.map((each) => ({ destination, name: each.name, generations: each.types ?? [] })) : []
  })
  return networks.length > 0 ? networks : null
}

/** Airalo shows net prices to some partners; for the others the discount has to be subtracted. */
function readCost(each: AiraloPackage, discountPercent: number): number {
  if (each.net_price !== null && each.net_price !== undefined) return readAmount(each.net_price)
  return Math.round((readAmount(each.price) * (100 - discountPercent)) / 100)
}

/** A decimal amount in millionths. */
export function readAmount(amount: string | number): number {
  try {
    return toMicros(amount)
  } catch {
    throw malformed()
  }
}

function meaningOfOrder({ status }: { status?: { slug: string } | null | undefined }, reportUnlisted: ReportUnlisted) {
  const meaning = status && lookUp(airaloOrderStatuses, status.slug)
  if (status && !meaning) reportUnlisted('order_status', status.slug)
  return meaning
}

/** Whether an order or a top-up is there: one that Airalo has not filled counts as not placed. */
export const isFilled = (order: z.output<typeof describedSchema>, reportUnlisted: ReportUnlisted): boolean =>
  meaningOfOrder(order, reportUnlisted)?.filled ?? true

/** An order or a top-up of Airalo's list. @throws ProviderFailure `malformed_reply` */
export function readListedOrder(
  order: z.output<typeof listedOrderSchema>,
  reportUnlisted: ReportUnlisted,
): ListedOrder {
  const price = order.net_price ?? null
  const alive = meaningOfOrder(order, reportUnlisted)?.alive ?? null
  return {
    kind: order.type === 'topup' ? 'top_up' : 'order',
    orderNo: order.id,
    clientRef: order.description,
    alive,
    // A refunded order was unused, or Airalo would not have refunded it.
    endedUnused: alive === false,
    unitCostMicros: price === null ? null : readAmount(price),
    costCurrency: order.currency,
    createdAt: order.created_at && readTime(PROVIDER, order.created_at),
  }
}

/** An eSIM that Airalo has sold. @throws ProviderFailure `malformed_reply` without an activation code */
export function readSim(sim: AiraloSim): ProvidedEsim {
  const code = sim.qrcode ?? (sim.lpa && sim.matching_id && `LPA:1$${sim.lpa}$${sim.matching_id}`)
  const activationCode = code && normaliseActivationCode(code)
  if (!activationCode) throw malformed()
  return {
    esimRef: sim.iccid,
    iccid: sim.iccid,
    activationCode,
    confirmationCode: sim.confirmation_code,
    apn: sim.apn_value,
    unusedValidUntil: null,
  }
}

/** What Airalo says about the use of an eSIM; bytes are whole, and null is unlimited. */
export function readUsage({ data }: z.output<typeof usageSchema>, reportUnlisted: ReportUnlisted): EsimStatus {
  const { status, total, remaining, is_unlimited, expired_at } = data
  const meaning = lookUp(airaloUsageStatuses, status)
  if (!meaning) reportUnlisted('usage_status', status)
  const state = meaning?.state ?? 'unknown'
  const totalBytes = is_unlimited || typeof total !== 'number' ? null : Math.round(total * MEGABYTE)
  return {
    state,
    totalBytes,
    // Where it does not say what is left, nobody knows that anything was used.
    usedBytes:
      totalBytes === null || typeof remaining !== 'number'
        ? 0
        : Math.max(0, totalBytes - Math.round(remaining * MEGABYTE)),
    activatedAt: null,
    expiresAt: state === 'new' || expired_at === null ? null : readTime(PROVIDER, expired_at),
  }
}

/** Verifies the received bytes, then the same with `/` written as `\/`, since Airalo signs JSON as PHP prints it. */
function isSigned(rawBody: string, signature: string, clientSecret: string): boolean {
  const shown = Buffer.from(signature.trim().toLowerCase())
  return [rawBody, rawBody.replaceAll(/(?<!\\)\//g, '\\/')].some((text) => {
    const expected = Buffer.from(createHmac('sha512', clientSecret).update(text).digest('hex'))
    return shown.length === expected.length && timingSafeEqual(shown, expected)
  })
}

/**
 * Verifies and reads an event. Airalo's events have no id: copies of one have equal bodies, and so have some later
 * ones.
 */
export function parseWebhook({ rawBody, headers }: WebhookRequest, clientSecret: string): WebhookEvent {
  if (!isSigned(rawBody, headers['airalo-signature'] ?? '', clientSecret)) {
    throw new ProviderFailure(PROVIDER, 'rejected', 'bad_signature')
  }
  const parsed = webhookSchema.safeParse(jsonOf(rawBody))
  if (!parsed.success) throw new ProviderFailure(PROVIDER, 'rejected', 'malformed_webhook')
  const eventId = createHash('sha256').update(rawBody).digest('hex')
  const { id, description, iccid, level } = parsed.data
  if (iccid && level) {
    const usedShare = Number.parseInt(level, 10) / 100
    return {
      eventId,
      unnamed: true,
      hints: [
        level.endsWith('%') ? { kind: 'usage', esimRef: iccid, usedShare } : { kind: 'validity', esimRef: iccid },
      ],
    }
  }
  if (!id) return { eventId, hints: [] }
  const hint: ProviderHint = { kind: 'order', orderNo: id, ...(description && { clientRef: description }) }
  return { eventId, hints: [hint] }
}

const malformed = () => new ProviderFailure(PROVIDER, 'unavailable', 'malformed_reply')
