/**
 * The protocol of eSIM Access: signature, envelope, errors and the shapes of replies. Sources: docs.esimaccess.com and
 * captured live replies. They spell the envelope differently, hence both spellings are read.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { CallWatch } from '../call-watch.ts'
import { esimAccessCodes } from '../codes/esim.ts'
import { documented, lookUp, undocumented } from '../codes/meaning.ts'
import { ProviderFailure, withinLimits } from '../failure.ts'
import { callProvider, jsonOf, readReply } from '../provider-call.ts'

export const PROVIDER = 'esim-access'

export interface EsimAccessSettings {
  /** `https://api.esimaccess.com/api/v1/open` */
  baseUrl: string
  accessCode: string
  secretKey: string
  /** for each call, in milliseconds */
  timeoutMs: number
  watch?: CallWatch | undefined
}

/** Hexadecimal HMAC-SHA256 over timestamp (milliseconds), request id, access code and body. */
export function signRequest(request: {
  timestamp: string
  requestId: string
  accessCode: string
  secretKey: string
  body: string
}): string {
  const { timestamp, requestId, accessCode, secretKey, body } = request
  return createHmac('sha256', secretKey)
    .update(timestamp + requestId + accessCode + body)
    .digest('hex')
}

const envelopeSchema = z.object({
  success: z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]),
  errorCode: z.union([z.string(), z.number()]).nullish(),
  // A refusal may have none.
  obj: z.unknown().optional(),
})

const isTheirs = (text: string): boolean => envelopeSchema.safeParse(jsonOf(text)).success

/** Calls `POST <baseUrl><path>` and returns `obj` by its schema. @throws ProviderFailure as in providers/esim.ts */
export type CallEsimAccess = <T>(
  path: string,
  body: object,
  schema: z.ZodType<T>,
  options?: { changes?: boolean; maxReplyBytes?: number },
) => Promise<T>

/** Calls of eSIM Access' API, each signed. */
export function createCaller(settings: EsimAccessSettings): CallEsimAccess {
  const { baseUrl, accessCode, secretKey, timeoutMs, watch } = settings
  return (path, content, schema, { changes = false, ...limit } = {}) => {
    const ask = () => send(path, content, schema, { changes, ...limit })
    return changes ? ask() : withinLimits(ask)
  }

  async function send<T>(
    path: string,
    content: object,
    schema: z.ZodType<T>,
    { changes, ...limit }: { changes: boolean; maxReplyBytes?: number },
  ): Promise<T> {
    const body = JSON.stringify(content)
    const timestamp = String(Date.now())
    const requestId = randomUUID()
    const method = 'POST' as const
    const url = baseUrl + path
    const call = { provider: PROVIDER, method, url, timeoutMs, changes, costs: true, isTheirs, watch, ...limit }
    const headers = {
      'Content-Type': 'application/json',
      'RT-AccessCode': accessCode,
      'RT-RequestID': requestId,
      'RT-Timestamp': timestamp,
      'RT-Signature': signRequest({ timestamp, requestId, accessCode, secretKey, body }),
    }
    const { status, text } = await callProvider({ ...call, headers, body })
    if (status === 401 || status === 403) throw new ProviderFailure(PROVIDER, 'misconfigured', 'bad_credentials')
    if (status !== 200) throw undocumented(PROVIDER, `http_${status}`, changes)
    const envelope = readReply(call, jsonOf(text), envelopeSchema)
    if (!envelope.success) throw failureOf(String(envelope.errorCode ?? ''), changes)
    return readReply(call, envelope.obj ?? {}, schema)
  }
}

function failureOf(errorCode: string, changes: boolean): ProviderFailure {
  const code = errorCode.padStart(6, '0')
  const meaning = lookUp(esimAccessCodes, code)
  if (meaning) return documented(PROVIDER, meaning, changes)
  return undocumented(PROVIDER, `provider_code_${code.replace(/\W/g, '').slice(0, 12)}`, changes)
}

const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().nonnegative())
const text = z
  .string()
  .nullish()
  .transform((value) => value || null)

export const packageSchema = z.object({
  packageCode: z.string().min(1),
  name: z.string(),
  price: count,
  currencyCode: z.string().length(3),
  volume: count,
  // 1: total; 2: daily, then slower; 3: daily, then cut off; 4: daily and unlimited
  dataType: count.nullish().transform((type) => type ?? 1),
  duration: count,
  activeType: count.nullish(),
  location: z.string(),
  locationCode: text,
  // 1: no; 2 and 3: yes. Some entries say so in a word.
  supportTopUpType: z.union([count, z.boolean().transform((yes) => (yes ? 2 : 1))]).nullish(),
  // The networks describe a package, and decide nothing: networks that cannot be read count as missing.
  locationNetworkList: z
    .array(
      z.object({
        locationName: z.string(),
        locationLogo: text,
        operatorList: z.array(z.object({ operatorName: z.string(), networkType: text })),
      }),
    )
    .nullish()
    .catch(null),
})

export const packageListSchema = z.object({ packageList: z.array(z.unknown()) })

export const orderSchema = z.object({ orderNo: z.string().min(1) })

export const queriedEsimSchema = z.object({
  esimTranNo: z.string().min(1),
  orderNo: z.string().min(1),
  transactionId: text,
  iccid: text,
  ac: text,
  apn: text,
  smdpStatus: text,
  esimStatus: z.string(),
  dataType: count.nullish().transform((type) => type ?? 1),
  activateTime: text,
  expiredTime: text,
  totalVolume: count.nullish(),
  orderUsage: count.nullish(),
  packageList: z.array(z.object({ transactionId: text, createTime: text })).nullish(),
})
export type QueriedEsim = z.output<typeof queriedEsimSchema>

export const esimListSchema = z.object({
  esimList: z.array(queriedEsimSchema),
  pager: z.object({ total: count.nullish() }).nullish(),
})

export interface EsimPage<Item> {
  esimList: Item[]
  pager?: { total?: number | null | undefined } | null | undefined
}

/**
 * The list of eSIMs for calls that read `placedEsimSchema` alone: an entry that cannot be read does not hide the
 * others.
 */
export const placedListSchema = z.object({
  esimList: z.array(z.unknown()),
  pager: z.object({ total: count.nullish() }).nullish(),
})
export const placedEsimSchema = z.object({ orderNo: z.string().min(1), transactionId: text })

const int = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+$/)
      .transform(Number),
  ])
  .pipe(z.int())
export const balanceSchema = z.object({ balance: int })

export const anythingSchema = z.unknown()

/** The EID of an SMDP_EVENT is left out, since it identifies a device. */
export const webhookSchema = z.object({
  notifyType: z.string(),
  notifyId: text,
  content: z
    .object({
      orderNo: text,
      esimTranNo: text,
      transactionId: text,
      esimStatus: text,
      smdpStatus: text,
      remainThreshold: z
        .union([
          z.number(),
          z
            .string()
            .regex(/^\d+(\.\d+)?$/)
            .transform(Number),
        ])
        .optional()
        .catch(undefined),
    })
    .nullish(),
})
