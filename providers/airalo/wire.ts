/**
 * Airalo's partner API v2: tokens, errors and the shapes of replies. Sources: developers.partners.airalo.com and
 * Airalo's SDKs.
 */
import { z } from 'zod'
import type { CallWatch } from '../call-watch.ts'
import { airaloCodes, airaloNotFound } from '../codes/esim.ts'
import { type CodeMeaning, documented, lookUp, undocumented } from '../codes/meaning.ts'
import { ProviderFailure, withinLimits } from '../failure.ts'
import { callProvider, jsonOf, type ProviderReply, readReply } from '../provider-call.ts'

export const PROVIDER = 'airalo'

export interface AiraloSettings {
  /** `https://partners-api.airalo.com/v2` */
  baseUrl: string
  clientId: string
  clientSecret: string
  /** for each call, in milliseconds */
  timeoutMs: number
  watch?: CallWatch | undefined
}

interface Request<T> {
  method: 'GET' | 'POST'
  path: string
  form?: Record<string, string>
  schema: z.ZodType<T>
  maxReplyBytes?: number
}

/** An authenticated call; a POST counts as changing something. @throws ProviderFailure as in providers/esim.ts */
export type CallAiralo = <T>(request: Request<T>) => Promise<T>

/** Calls of Airalo's API, each with a token that is asked for when the one before has expired. */
export function createCaller(settings: AiraloSettings): CallAiralo {
  const { baseUrl, timeoutMs, watch } = settings
  const tokens = createTokens(settings)

  return (request) => (request.method === 'POST' ? send(request) : withinLimits(() => send(request)))

  async function send<T>({ method, path, form, schema, ...limit }: Request<T>): Promise<T> {
    const changes = method === 'POST'
    const url = baseUrl + path
    const call = { provider: PROVIDER, method, url, timeoutMs, changes, costs: true, isTheirs, watch, ...limit }
    const attempt = async (token: string): Promise<ProviderReply> => {
      const body = new FormData()
      for (const [name, value] of Object.entries(form ?? {})) body.append(name, value)
      const headers = { Accept: 'application/json', Authorization: `Bearer ${token}` }
      return callProvider({ ...call, headers, ...(form ? { body } : {}) })
    }
    const token = await tokens.get()
    let reply = await attempt(token)
    if (reply.status === 401) {
      tokens.discard(token)
      reply = await attempt(await tokens.get())
    }
    const content = jsonOf(reply.text)
    if (reply.status >= 200 && reply.status < 300) return readReply(call, content, schema)
    throw failureOf(reply.status, content, call.changes)
  }
}

const tokenSchema = z.object({ data: z.object({ access_token: z.string().min(1), expires_in: z.number().positive() }) })
const LONGEST_TOKEN_LIFE_S = 86_400
const TOKEN_MARGIN_MS = 5 * 60_000

/** One token for all callers: Airalo issues three tokens a minute, each valid for a day. */
function createTokens({ baseUrl, clientId, clientSecret, timeoutMs, watch }: AiraloSettings) {
  let current: { token: string; staleAt: number } | null = null
  let pending: Promise<string> | null = null

  async function request(): Promise<string> {
    const call = {
      provider: PROVIDER,
      method: 'POST' as const,
      url: `${baseUrl}/token`,
      timeoutMs,
      changes: false,
      isTheirs,
      watch,
    }
    const form = { client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials' }
    const { status, text } = await callProvider({
      ...call,
      headers: { Accept: 'application/json' },
      body: new URLSearchParams(form),
    })
    if (status === 401 || status === 422) throw new ProviderFailure(PROVIDER, 'misconfigured', 'bad_credentials')
    if (status !== 200) throw failureOf(status, jsonOf(text), false)
    const { data } = readReply(call, jsonOf(text), tokenSchema)
    // Airalo's samples show a lifetime of a year, its text says 24 hours.
    const lifeMs = Math.min(data.expires_in, LONGEST_TOKEN_LIFE_S) * 1000
    current = { token: data.access_token, staleAt: Date.now() + lifeMs - Math.min(TOKEN_MARGIN_MS, lifeMs / 2) }
    return data.access_token
  }

  return {
    async get(): Promise<string> {
      if (current && Date.now() < current.staleAt) return current.token
      pending ??= request().finally(() => {
        pending = null
      })
      return pending
    },
    /** Discards a refused token, unless it was replaced already. */
    discard(token: string): void {
      if (current?.token === token) current = null
    },
  }
}

const businessSchema = z.object({ code: z.number() })
const fieldsSchema = z.object({ data: z.record(z.string(), z.unknown()) })
/** The documented 404 of "Get usage"; one of another path of Airalo's server has its message alone. */
const notFoundSchema = z.object({ data: z.array(z.unknown()).max(0), meta: z.looseObject({}) })
/** The documented 422 of "Request refund". */
const withoutFieldsSchema = z.object({ data: z.array(z.string()), meta: z.looseObject({}) })
/** Refusals have a code, the fields or nothing under `data`, or a message alone, as a 429 has. */
const refusalSchema = z.union([
  businessSchema,
  z.object({ data: z.unknown(), meta: z.looseObject({}) }),
  z.object({ message: z.string() }),
])

const isTheirs = (text: string): boolean => refusalSchema.safeParse(jsonOf(text)).success

function failureOf(status: number, content: unknown, changes: boolean): ProviderFailure {
  const business = businessSchema.safeParse(content)
  const meaning = business.success ? lookUp(airaloCodes, String(business.data.code)) : meaningOf(status, content)
  if (meaning) return documented(PROVIDER, meaning, changes)
  if (business.success) return undocumented(PROVIDER, `provider_code_${business.data.code}`, changes)
  if (status === 401) return new ProviderFailure(PROVIDER, 'misconfigured', 'bad_credentials')
  if (status === 403) return new ProviderFailure(PROVIDER, 'misconfigured', 'ip_not_allowed')
  // For a reading call it means "not found"; for a POST it is undocumented.
  if (status === 404 && !changes && notFoundSchema.safeParse(content).success)
    return documented(PROVIDER, airaloNotFound, changes)
  return undocumented(PROVIDER, `http_${status}`, changes)
}

/** A validation error names the refused fields, each with one text or several, or has a message alone. */
function meaningOf(status: number, content: unknown): CodeMeaning | undefined {
  if (status !== 422) return undefined
  if (withoutFieldsSchema.safeParse(content).success) return airaloCodes.no_field
  const fields = fieldsSchema.safeParse(content)
  if (!fields.success) return undefined
  const { data } = fields.data
  if ('package_id' in data) return airaloCodes.package_id
  if (/not available/i.test(JSON.stringify(data.quantity ?? ''))) return airaloCodes.quantity_not_available
  if ('iccid' in data) return airaloCodes.iccid
  return airaloCodes.any_other_field
}

const id = z.union([z.string().min(1), z.number()]).transform(String)
const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().nonnegative())
const amount = z.union([z.number(), z.string()])
/** Airalo documents null beside true and false, for example for the usage of a recycled eSIM. */
const flag = z.union([z.boolean(), z.number()]).nullish().transform(Boolean)
const text = z
  .string()
  .nullish()
  .transform((value) => value || null)

export const packageSchema = z.object({
  id: z.string().min(1),
  type: z.enum(['sim', 'topup']),
  title: z.string(),
  amount: count,
  day: count,
  is_unlimited: flag,
  price: amount,
  net_price: amount.nullish(),
})

export const operatorSchema = z.object({
  id,
  title: z.string(),
  rechargeability: flag,
  is_kyc_verify: flag,
  activation_policy: z.string().nullish(),
  countries: z
    .array(z.object({ country_code: z.string() }))
    .nullish()
    .transform((countries) => countries ?? []),
  // The coverage describes a package, and decides nothing: a coverage that cannot be read counts as missing.
  coverages: z
    .array(
      z.object({
        name: z.string(),
        code: text,
        networks: z.array(z.object({ name: z.string(), types: z.array(z.string()).nullish() })),
      }),
    )
    .nullish()
    .catch(null),
  packages: z.array(z.unknown()),
})

export const destinationSchema = z.object({
  country_code: text,
  title: z.string(),
  operators: z.array(z.unknown()),
})

export type AiraloPackage = z.output<typeof packageSchema>
export type AiraloOperator = z.output<typeof operatorSchema>
export type AiraloDestination = z.output<typeof destinationSchema>

export const packagesSchema = z.object({
  pricing: z.object({ discount_percentage: z.number() }).nullish(),
  // An array on the first page, an object with positions as keys on the others.
  data: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown()).transform(Object.values)]),
  meta: z.object({ last_page: count.nullish() }).nullish(),
})

const simSchema = z.object({
  iccid: z.string().min(1),
  lpa: text,
  matching_id: text,
  qrcode: text,
  confirmation_code: text,
  apn_value: text,
})

export type AiraloSim = z.output<typeof simSchema>

export const placedSchema = z.object({ data: z.object({ id }) })

export const orderSchema = z.object({ data: z.object({ sims: z.array(simSchema) }) })

export const listedOrderSchema = z.object({
  id,
  type: z.string(),
  description: text,
  created_at: text,
  currency: text,
  // The schema of the list leaves it out; the FAQ says that each order has it, and that it is what is charged.
  net_price: amount.nullish(),
  status: z.object({ slug: z.string() }).nullish(),
})

/** The list of orders. Its entries are read one by one: one that cannot be read does not hide the others. */
export const orderListSchema = z.object({
  data: z.array(z.unknown()),
  meta: z.object({ last_page: count.nullish() }).nullish(),
})
export const describedSchema = z.object({
  id,
  type: z.string(),
  description: text,
  // One that cannot be read says nothing, and the order is there.
  status: z.object({ slug: z.string() }).nullish().catch(null),
})
/** Entries that are read alone: one that cannot be read may be the one that is looked for. */
export const describedListSchema = orderListSchema.extend({ data: z.array(describedSchema) })

/** A thousand terabytes: more is no usage, and no number of bytes that can be stored. */
const megabytes = z.number().max(1_000_000_000)

export const usageSchema = z.object({
  data: z.object({
    status: z.string(),
    remaining: megabytes.nullish(),
    total: megabytes.nullish(),
    is_unlimited: flag,
    expired_at: text,
  }),
})

export const balanceSchema = z.object({
  data: z.object({ balances: z.object({ availableBalance: z.object({ amount, currency: z.string().length(3) }) }) }),
})

/** A refusal has no data, or the fields that it refuses; anything else may be a refund in another form. */
export const refundSchema = z.object({
  data: z.union([
    z.object({ refund_id: id }),
    z.array(z.unknown()).max(0),
    z
      .record(z.string().regex(/^(?:iccids|reason|notes|email)\b/), z.unknown())
      .refine((refused) => Object.keys(refused).length > 0),
  ]),
})

/** A completed order has `id` and `description`; an eSIM with little data or validity left has `iccid` and `level`. */
export const webhookSchema = z.object({
  id: id.nullish(),
  description: text,
  iccid: text,
  level: text,
})
