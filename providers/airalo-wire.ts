/**
 * Airalo's partner API v2 on the wire: tokens, error bodies, reply shapes. Facts: developers.partners.airalo.com and the
 * vendor's SDKs.
 */
import { z } from 'zod'
import { exchange, jsonOf, type ProviderReply, readReply } from './exchange.ts'
import { ProviderFailure, type ProviderFailureKind } from './failure.ts'

export const PROVIDER = 'airalo'

export interface AiraloSettings {
  /** `https://partners-api.airalo.com/v2` */
  baseUrl: string
  clientId: string
  clientSecret: string
  /** for each call, milliseconds */
  timeoutMs: number
}

interface Request<T> {
  method: 'GET' | 'POST'
  path: string
  form?: Record<string, string>
  schema: z.ZodType<T>
}

/** One authenticated call; a POST counts as changing something. @throws ProviderFailure as the port lists them */
export type CallAiralo = <T>(request: Request<T>) => Promise<T>

export function createCaller(settings: AiraloSettings): CallAiralo {
  const { baseUrl, timeoutMs } = settings
  const tokens = createTokens(settings)

  return async ({ method, path, form, schema }) => {
    const call = { provider: PROVIDER, method, url: baseUrl + path, timeoutMs, changes: method === 'POST', costs: true }
    const attempt = async (token: string): Promise<ProviderReply> => {
      const body = new FormData()
      for (const [name, value] of Object.entries(form ?? {})) body.append(name, value)
      const headers = { Accept: 'application/json', Authorization: `Bearer ${token}` }
      return exchange({ ...call, headers, ...(form ? { body } : {}) })
    }
    const token = await tokens.get()
    let reply = await attempt(token)
    if (reply.status === 401) {
      tokens.drop(token)
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

/** One token for all callers: the vendor gives out three a minute, good for a day. */
function createTokens({ baseUrl, clientId, clientSecret, timeoutMs }: AiraloSettings) {
  let current: { token: string; staleAt: number } | null = null
  let pending: Promise<string> | null = null

  async function request(): Promise<string> {
    const call = { provider: PROVIDER, method: 'POST' as const, url: `${baseUrl}/token`, timeoutMs, changes: false }
    const form = { client_id: clientId, client_secret: clientSecret, grant_type: 'client_credentials' }
    const { status, text } = await exchange({
      ...call,
      headers: { Accept: 'application/json' },
      body: new URLSearchParams(form),
    })
    if (status === 401 || status === 422) throw new ProviderFailure(PROVIDER, 'misconfigured', 'bad_credentials')
    if (status !== 200) throw failureOf(status, jsonOf(text), false)
    const { data } = readReply(call, jsonOf(text), tokenSchema)
    // The vendor's samples show a life of a year, the text says 24 hours.
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
    /** Forgets a token that was refused, unless a newer one is there already. */
    drop(token: string): void {
      if (current?.token === token) current = null
    },
  }
}

const FAILURES: Record<number, [ProviderFailureKind, string]> = {
  11: ['misconfigured', 'no_balance'],
  13: ['unavailable', 'provider_busy'],
  14: ['misconfigured', 'bad_request'],
  23: ['rejected', 'top_up_unsupported'],
  33: ['rejected', 'out_of_stock'],
  34: ['rejected', 'out_of_stock'],
  43: ['misconfigured', 'bad_request'],
  73: ['rejected', 'expired'],
  89: ['misconfigured', 'ip_not_allowed'],
}

const businessSchema = z.object({ code: z.number() })
const fieldsSchema = z.object({ data: z.record(z.string(), z.unknown()) })

function failureOf(status: number, content: unknown, changes: boolean): ProviderFailure {
  const business = businessSchema.safeParse(content)
  if (business.success) {
    const { code } = business.data
    if (code === 53) return new ProviderFailure(PROVIDER, changes ? 'unknown_outcome' : 'unavailable', 'provider_error')
    const [kind, name] = FAILURES[code] ?? ['misconfigured', `provider_code_${code}`]
    return new ProviderFailure(PROVIDER, kind, name)
  }
  if (status === 401) return new ProviderFailure(PROVIDER, 'misconfigured', 'bad_credentials')
  if (status === 403) return new ProviderFailure(PROVIDER, 'misconfigured', 'ip_not_allowed')
  if (status === 404) return new ProviderFailure(PROVIDER, 'rejected', 'not_found')
  const fields = fieldsSchema.safeParse(content)
  if (status === 422 && fields.success) {
    if ('package_id' in fields.data.data) return new ProviderFailure(PROVIDER, 'rejected', 'unknown_package')
    if ('iccid' in fields.data.data) return new ProviderFailure(PROVIDER, 'rejected', 'unknown_esim')
  }
  return new ProviderFailure(PROVIDER, 'misconfigured', status === 422 ? 'bad_request' : `http_${status}`)
}

const id = z.union([z.string().min(1), z.number()]).transform(String)
const count = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]).pipe(z.int().nonnegative())
const amount = z.union([z.number(), z.string()])
const text = z
  .string()
  .nullish()
  .transform((value) => value || null)

const packageSchema = z.object({
  id: z.string().min(1),
  type: z.enum(['sim', 'topup']),
  title: z.string(),
  amount: count,
  day: count,
  is_unlimited: z.boolean().default(false),
  price: amount,
  net_price: amount.nullish(),
})

const operatorSchema = z.object({
  id,
  title: z.string(),
  rechargeability: z.boolean().default(false),
  is_kyc_verify: z.union([z.boolean(), z.number()]).default(false),
  install_window_days: count.nullish(),
  countries: z.array(z.object({ country_code: z.string() })).default([]),
  packages: z.array(packageSchema),
})

const destinationSchema = z.object({
  country_code: text,
  title: z.string(),
  operators: z.array(operatorSchema),
})

export type AiraloOperator = z.output<typeof operatorSchema>
export type AiraloDestination = z.output<typeof destinationSchema>

export const packagesSchema = z.object({
  pricing: z.object({ discount_percentage: z.number() }).nullish(),
  // An array on the first page, an object keyed by position on the others.
  data: z.union([z.array(destinationSchema), z.record(z.string(), destinationSchema).transform(Object.values)]),
  meta: z.object({ last_page: count.default(1) }).nullish(),
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

export const orderListSchema = z.object({
  data: z.array(z.object({ id, type: z.string(), description: text })),
  meta: z.object({ last_page: count.default(1) }).nullish(),
})

export const usageSchema = z.object({
  data: z.object({
    status: z.string(),
    remaining: z.number().nullish(),
    total: z.number().nullish(),
    is_unlimited: z.boolean().default(false),
    expired_at: text,
  }),
})

export const balanceSchema = z.object({
  data: z.object({ balances: z.object({ availableBalance: z.object({ amount, currency: z.string().length(3) }) }) }),
})

export const refundSchema = z.object({
  data: z.union([z.object({ refund_id: id }), z.unknown().array(), z.object({})]),
})

export const anythingSchema = z.unknown()

/** An order's completion (id, description) or an eSIM's low data or validity (iccid, level). */
export const webhookSchema = z.object({
  id: id.nullish(),
  description: text,
  iccid: text,
  level: text,
})
