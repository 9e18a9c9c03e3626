/** Translates the replies of eSIM Access into the terms of providers/esim.ts. */
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { esimAccessEvents, esimAccessProfileStatuses, esimAccessStatuses } from '../codes/esim-values.ts'
import { isListed, lookUp, type ReportUnlisted } from '../codes/meaning.ts'
import type {
  EsimState,
  ListedOrder,
  Networks,
  ProvidedEsim,
  ProviderHint,
  ProviderPackage,
  ValidityStart,
  WebhookEvent,
  WebhookRequest,
} from '../esim.ts'
import { readTime } from '../esim-units.ts'
import { ProviderFailure } from '../failure.ts'
import { normaliseActivationCode } from '../lpa.ts'
import { jsonOf } from '../provider-call.ts'
import { PROVIDER, type packageSchema, type QueriedEsim, webhookSchema } from './wire.ts'

/** Prices of eSIM Access are ten-thousandths of a currency unit. */
export const MICROS_PER_PRICE = 100

/** Source: docs.esimaccess.com, Get All Data Packages, `activeType`. */
const activeTypes: Record<number, ValidityStart> = { 1: 'installation', 2: 'first_use' }

/** A package of eSIM Access' price list. Its cost is in millionths of a currency unit. */
export function readPackage(each: z.output<typeof packageSchema>, kind: ProviderPackage['kind']): ProviderPackage {
  return {
    code: each.packageCode,
    kind,
    name: each.name,
    destinations: each.location.split(',').filter((code) => /^[A-Z]{2}$/.test(code)),
    dataBytes: each.dataType === 4 ? null : each.volume,
    daily: each.dataType !== 1,
    days: each.duration,
    costMicros: each.price * MICROS_PER_PRICE,
    costCurrency: each.currencyCode,
    validityStarts: activeTypes[each.activeType ?? 0] ?? null,
    // In general an eSIM of a country accepts top-ups of the same country, one of a region those of the same region.
    family: each.locationCode ?? each.location,
    supportsTopUp: (each.supportTopUpType ?? 1) >= 2,
    networks: readNetworks(each),
  }
}

/** The list names countries in English; the file of the flag has the code. */
function readNetworks({ locationNetworkList: listed }: z.output<typeof packageSchema>): Networks | null {
  const networks = (listed ?? []).flatMap(({ locationLogo, operatorList }) => {
    const code = /\/([a-z]{2})\.\w+$/i.exec(locationLogo ?? '')?.[1]?.toUpperCase()
    if (code === undefined) return []
    return operatorList.map(({ operatorName, networkType }) => ({
      destination: code,
      name: operatorName,
      generations: (networkType ?? '').split('/').filter(Boolean),
    }))
  })
  return networks.length > 0 ? networks : null
}

/** An eSIM that was allocated. @throws ProviderFailure `still_allocating` or `malformed_reply` */
export function readEsim(esim: QueriedEsim): ProvidedEsim {
  if (!esim.iccid || !esim.ac) throw new ProviderFailure(PROVIDER, 'unavailable', 'still_allocating')
  const activationCode = normaliseActivationCode(esim.ac)
  if (!activationCode) throw new ProviderFailure(PROVIDER, 'unavailable', 'malformed_reply')
  return {
    esimRef: esim.esimTranNo,
    iccid: esim.iccid,
    activationCode,
    confirmationCode: null,
    apn: esim.apn,
    unusedValidUntil: esim.activateTime === null && esim.expiredTime ? readTime(PROVIDER, esim.expiredTime) : null,
  }
}

const ENDED = new Set<EsimState>(['cancelled', 'expired'])

/**
 * The order of an eSIM and the top-ups that the eSIM got. The query names no prices: docs.esimaccess.com, "Query all
 * allocated profiles".
 */
export function readListedOrders(esim: QueriedEsim, reportUnlisted: ReportUnlisted): ListedOrder[] {
  const state = stateOf(esim, reportUnlisted)
  const listed = {
    orderNo: esim.orderNo,
    alive: state === 'unknown' ? null : !ENDED.has(state),
    endedUnused: state === 'cancelled' && (esim.orderUsage ?? 0) === 0,
    unitCostMicros: null,
    costCurrency: null,
  }
  const purchases = esim.packageList ?? []
  const timeOf = (createTime: string | null | undefined) => (createTime ? readTime(PROVIDER, createTime) : null)
  const first = purchases.find(({ transactionId }) => transactionId === esim.transactionId) ?? purchases[0]
  return [
    { ...listed, kind: 'order', clientRef: esim.transactionId, createdAt: timeOf(first?.createTime) },
    ...purchases.flatMap(({ transactionId, createTime }): ListedOrder[] =>
      transactionId && transactionId !== esim.transactionId
        ? [{ ...listed, kind: 'top_up', clientRef: transactionId, createdAt: timeOf(createTime) }]
        : [],
    ),
  ]
}

const decidesAlone: readonly EsimState[] = ['cancelled', 'expired', 'suspended']

/** Source: esimaccess.com/docs/what-does-each-esim-status-mean */
export function stateOf(
  { esimStatus, smdpStatus, orderUsage }: QueriedEsim,
  reportUnlisted: ReportUnlisted,
): EsimState {
  const status = lookUp(esimAccessStatuses, esimStatus)
  const profile = smdpStatus === null ? undefined : lookUp(esimAccessProfileStatuses, smdpStatus)
  if (!status) reportUnlisted('esim_status', esimStatus)
  if (smdpStatus !== null && !profile) reportUnlisted('smdp_status', smdpStatus)
  if (status && decidesAlone.includes(status.state)) return status.state
  if (profile?.state === 'removed') return 'removed'
  if (!status) return 'unknown'
  if (status.state === 'in_use') return (orderUsage ?? 0) > 0 ? 'in_use' : 'installed'
  if (status.state !== 'new') return status.state
  return smdpStatus === null ? 'installed' : (profile?.state ?? 'unknown')
}

const HINT_KINDS: Record<string, ProviderHint['kind']> = {
  ORDER_STATUS: 'order',
  ESIM_STATUS: 'esim',
  SMDP_EVENT: 'esim',
  DATA_USAGE: 'usage',
  VALIDITY_USAGE: 'validity',
}

/**
 * These steps of an installation need no hint: ESIM_STATUS follows, and polling sees an eSIM that goes online later.
 */
const ON_THE_WAY = ['DOWNLOAD', 'INSTALLATION', 'ENABLED']

/** Reads an event. Events are not signed: the caller checks the secret in the path, and an event is only a hint. */
export function parseWebhook({ rawBody }: WebhookRequest, reportUnlisted: ReportUnlisted): WebhookEvent {
  const parsed = webhookSchema.safeParse(jsonOf(rawBody))
  if (!parsed.success) throw new ProviderFailure(PROVIDER, 'rejected', 'malformed_webhook')
  const { notifyType, notifyId, content } = parsed.data
  const eventId = notifyId ?? createHash('sha256').update(rawBody).digest('hex')
  if (!isListed(esimAccessEvents, notifyType)) reportUnlisted('event', notifyType)
  const kind = lookUp(HINT_KINDS, notifyType)
  if (!kind || !content) return { eventId, hints: [] }
  const { orderNo, esimTranNo, transactionId, esimStatus, smdpStatus, remainThreshold } = content
  if (notifyType === 'SMDP_EVENT' && smdpStatus && ON_THE_WAY.includes(smdpStatus)) return { eventId, hints: [] }
  const hint: ProviderHint = {
    kind: esimStatus?.endsWith('_EXPIRED') ? 'validity' : kind,
    ...(remainThreshold !== undefined && { usedShare: 1 - remainThreshold }),
    ...(orderNo && { orderNo }),
    ...(esimTranNo && { esimRef: esimTranNo }),
    ...(transactionId && { clientRef: transactionId }),
  }
  return { eventId, hints: [hint] }
}
