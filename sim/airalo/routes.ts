/** The partner API's endpoints, under /v2. */
import { randomBytes } from 'node:crypto'
import type { Request, Response, Router } from 'express'
import { z } from 'zod'
import { fieldsIn } from '../fields.ts'
import { rawBody } from '../simulator.ts'
import { listCatalogue } from './listing.ts'
import { NOTIFICATION_TYPES, type Notifications } from './notifications.ts'
import { showListed, showPlaced } from './order-view.ts'
import { pageOf } from './paging.ts'
import { type Sim, showSim } from './sims.ts'
import { newRequestId, type Store } from './store.ts'
import {
  apiTime,
  checkSignature,
  type createLimiter,
  formFields,
  invalid,
  Refusal,
  refused,
  unauthenticated,
} from './wire.ts'

/** What is not named has no limit. */
export const limitsForm = z.strictObject({
  tokenPerMinute: z.number().exactOptional(),
  usagePerMinute: z.number().exactOptional(),
  refundPerMinute: z.number().exactOptional(),
})

export interface Served {
  clientId: string
  clientSecret: string
  settings: {
    limits: z.infer<typeof limitsForm>
    usageCacheSeconds: number
    asyncSeconds: number
    asyncFailure: string | null
  }
  store: Store
  notifications: Notifications
  limiter: ReturnType<typeof createLimiter>
  tokens: Map<string, number>
}

type Fields = Map<string, string[]>

const REFUND_REASONS =
  'INSTALLATION_FAILURE NO_COVERAGE APN_FAILURE TRIP_CANCELLATION INTERMITTENT_CONNECTION BLOCKED_NETWORK CHANGE_OF_PLAN DELETED_ESIM EARLY_EXPIRY HOTSPOT_NOT_WORKING IMSI_CHANGE INCOMPATIBLE_DEVICE LOCKED_DEVICE NO_VOICE_TEXT_SERVICES OVERCHARGED SLOW_SPEED TOP_UP_PACKAGE_FAILURE UNKNOWN_CHARGES WRONG_PURCHASE UNABLE_TO_ACCESS_APPS SERVICE_DEGRADATION QR_ISSUE_PARTNERS OTHERS'.split(
    ' ',
  )

const TOKEN_SECONDS = 86_400
const SUCCESS = { message: 'success' }

export function addRoutes(router: Router, served: Served): void {
  const { store, notifications, settings, limiter, tokens } = served

  function endpoint(
    method: 'get' | 'post',
    path: string,
    handle: (request: Request, fields: Fields, response: Response) => unknown,
    open = false,
  ): void {
    router[method](`/v2${path}`, async (request: Request, response: Response) => {
      try {
        if (!open) authenticate(request)
        const fields = method === 'post' ? await formFields(request) : new Map<string, string[]>()
        if (method === 'post' && !open) checkSignature(request, fields, served.clientSecret)
        const body = await handle(request, fields, response)
        response.json(body)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        response.status(error.status).set(error.headers).json(error.body)
      }
    })
  }

  function authenticate(request: Request): void {
    const token = request.get('authorization')?.match(/^Bearer (.+)$/)?.[1]
    if (!token || (tokens.get(token) ?? 0) <= store.now()) throw unauthenticated()
  }

  const simIn = (request: Request): Sim => store.simOf(String(request.params.iccid))

  endpoint(
    'post',
    '/token',
    (_request, fields) => {
      limiter.take('token', settings.limits.tokenPerMinute)
      const clientId = need(fields, 'client_id')
      const clientSecret = need(fields, 'client_secret')
      if (need(fields, 'grant_type') !== 'client_credentials')
        throw invalid({ grant_type: 'The grant type is invalid.' })
      if (clientId !== served.clientId || clientSecret !== served.clientSecret) throw unauthenticated()
      const token = randomBytes(30).toString('base64url')
      tokens.set(token, store.now() + TOKEN_SECONDS * 1000)
      return { data: { token_type: 'Bearer', expires_in: TOKEN_SECONDS, access_token: token }, meta: SUCCESS }
    },
    true,
  )

  endpoint('get', '/packages', (request) => listCatalogue(store.catalogue(), request))

  endpoint('post', '/orders', (_request, fields) => {
    const { packageId, quantity, description } = orderFields(fields)
    return { data: showPlaced(store.placeOrder(packageId, quantity, description), formOf(fields)), meta: SUCCESS }
  })

  endpoint('post', '/orders-async', (_request, fields, response) => {
    const { packageId, quantity, description } = orderFields(fields)
    const url = fields.get('webhook_url')?.[0]
    if (!url && !notifications.optedIn.has('async_orders')) {
      throw invalid({ webhook_url: 'The webhook url field is required, when you are not opted in.' })
    }
    store.check(packageId)
    const requestId = newRequestId()
    setTimeout(() => {
      try {
        if (settings.asyncFailure) throw new Error(settings.asyncFailure)
        const order = store.placeOrder(packageId, quantity, description, requestId)
        notifications.asyncOrder({ ...showPlaced(order, formOf(fields)), request_id: requestId }, url)
      } catch (error) {
        const reason = error instanceof Refusal ? fieldsIn(error.body)?.reason : String(error)
        notifications.asyncOrder({ request_id: requestId, reason }, url)
      }
    }, settings.asyncSeconds * 1000).unref()
    response.status(202)
    return { data: { request_id: requestId, accepted_at: apiTime(store.now()) }, meta: SUCCESS }
  })

  endpoint('post', '/orders/topups', (_request, fields) => {
    const order = store.placeTopUp(need(fields, 'package_id'), need(fields, 'iccid'), optional(fields, 'description'))
    const { sims: _sims, ...shown } = showPlaced(order, formOf(fields))
    return { data: shown, meta: SUCCESS }
  })

  endpoint('get', '/orders', (request) => {
    const include = String(request.query.include ?? '')
    const found = store.listOrders({
      description: filterIn(request, 'description'),
      code: filterIn(request, 'code'),
      iccid: filterIn(request, 'iccid'),
      status: filterIn(request, 'order_status'),
      createdAt: filterIn(request, 'created_at'),
    })
    const { page, perPage, slice } = pageOf(request, found)
    return {
      data: slice.map((order) => showListed(order, include)),
      meta: {
        ...SUCCESS,
        current_page: page,
        last_page: Math.max(1, Math.ceil(found.length / perPage)),
        total: found.length,
      },
    }
  })

  endpoint('get', '/orders/:id', (request) => {
    const order = store.orderOf(Number(request.params.id))
    return { data: showListed(order, String(request.query.include ?? '')), meta: SUCCESS }
  })

  endpoint('get', '/sims', (request) => {
    const { slice } = pageOf(request, store.listSims(filterIn(request, 'iccid')))
    return { data: slice.map(showSim), meta: SUCCESS }
  })
  endpoint('get', '/sims/:iccid', (request) => ({ data: showSim(simIn(request)), meta: SUCCESS }))
  endpoint('get', '/sims/:iccid/instructions', (request) => {
    const { qrcode, qrcode_url } = showSim(simIn(request))
    const language = request.get('accept-language')?.slice(0, 2).toUpperCase() ?? 'EN'
    const installation_via_qr_code = { steps: { 1: 'Scan the code.' }, qr_code_data: qrcode, qr_code_url: qrcode_url }
    const platform = [{ model: null, version: null, installation_via_qr_code }]
    return { data: { instructions: { language, ios: platform, android: platform } }, meta: SUCCESS }
  })
  endpoint('get', '/sims/:iccid/packages', (request) => ({ data: store.life.history(simIn(request)), meta: SUCCESS }))
  endpoint('get', '/sims/:iccid/topups', (request) => {
    const sim = simIn(request)
    if (sim.recycledAt !== null) throw refused(73)
    return { data: sim.operator.packages.filter(({ type }) => type === 'topup'), meta: SUCCESS }
  })
  endpoint('get', '/sims/:iccid/usage', (request) => {
    const sim = simIn(request)
    limiter.take(`usage ${sim.iccid}`, settings.limits.usagePerMinute)
    const now = store.now()
    if (!sim.cachedUsage || sim.cachedUsage.until <= now) {
      sim.cachedUsage = { until: now + settings.usageCacheSeconds * 1000, usage: store.life.usage(sim) }
    }
    return { data: sim.cachedUsage.usage, meta: { message: 'api.success' } }
  })

  endpoint('post', '/refund', (_request, fields, response) => {
    limiter.take('refund', settings.limits.refundPerMinute)
    const iccids = listOf(fields)
    if (iccids.length === 0) throw new Refusal(422, { data: [], meta: { message: 'The iccids field is required.' } })
    if (iccids.length > 5) throw invalid({ iccids: 'The iccids may not have more than 5 items.' })
    const reason = need(fields, 'reason')
    if (!REFUND_REASONS.includes(reason)) throw invalid({ reason: 'The selected reason is invalid.' })
    const notes = optional(fields, 'notes') ?? ''
    if (reason === 'OTHERS' && !notes) throw invalid({ notes: 'The notes field is required.' })
    if (notes.length > 255) throw invalid({ notes: 'The notes may not be greater than 255 characters.' })
    response.status(202)
    const foreign = iccids.filter((iccid) => !store.hasSold(iccid))
    if (foreign.length > 0)
      return {
        data: [],
        meta: { message: `The following ICCIDs do not belong to your company: ${foreign.join(', ')}` },
      }
    const refund = store.requestRefund(iccids, reason)
    return { data: { refund_id: refund.refundId, created_at: apiTime(refund.createdAt).slice(0, 16) }, meta: SUCCESS }
  })

  endpoint('get', '/balance', () => ({
    data: {
      balances: { name: 'balance', availableBalance: { amount: store.balanceCents() / 100, currency: 'USD' } },
    },
    meta: SUCCESS,
  }))

  endpoint('get', '/notifications/opt-in', () => ({
    data: {
      notification: [...notifications.optedIn].map(([type, url]) => ({ type, contact_point: url })),
    },
    meta: SUCCESS,
  }))
  endpoint('post', '/notifications/opt-in', async (request) => {
    const { type, webhook_url: url }: { type?: string; webhook_url?: string } = JSON.parse(rawBody(request) || '{}')
    const known = NOTIFICATION_TYPES.find((each) => each === type)
    if (!known) throw invalid({ type: 'The selected type is invalid.' })
    if (!url) throw invalid({ webhook_url: 'The webhook url field is required.' })
    await notifications.optIn(known, url)
    return { data: { notification: { type: known, contact_point: url } }, meta: SUCCESS }
  })
  endpoint('post', '/notifications/opt-out', (request) => {
    const { type }: { type?: (typeof NOTIFICATION_TYPES)[number] } = JSON.parse(rawBody(request) || '{}')
    if (type) notifications.optedIn.delete(type)
    return { data: [], meta: SUCCESS }
  })
}

const formOf = (fields: Fields) => ({
  quantity: fields.get('quantity')?.[0],
  brand: optional(fields, 'brand_settings_name'),
})

function orderFields(fields: Fields) {
  const packageId = need(fields, 'package_id')
  const quantity = Number(need(fields, 'quantity'))
  if (!Number.isInteger(quantity) || quantity < 1) throw invalid({ quantity: 'The quantity must be at least 1.' })
  if (quantity > 50) throw invalid({ quantity: 'The quantity may not be greater than 50.' })
  const type = optional(fields, 'type')
  if (type !== null && type !== 'sim') throw invalid({ type: 'The selected type is invalid.' })
  if (fields.has('to_email') && !fields.has('sharing_option[]')) {
    throw invalid({ sharing_option: 'The sharing option field is required.' })
  }
  return { packageId, quantity, description: optional(fields, 'description') }
}

function need(fields: Fields, name: string): string {
  const value = fields.get(name)?.[0]
  if (!value) throw invalid({ [name]: `The ${name.replaceAll('_', ' ')} field is required.` })
  return value
}

const optional = (fields: Fields, name: string): string | null => fields.get(name)?.[0] || null

/** Express does not parse brackets in a query: `filter[x]` is an ordinary name. */
const filterIn = (request: Request, name: string): string => String(request.query[`filter[${name}]`] ?? '')

/** The documentation shows both a repeated `iccids[]` and `iccids` as a JSON array. */
function listOf(fields: Fields): string[] {
  const repeated = fields.get('iccids[]')
  if (repeated) return repeated
  try {
    const parsed: unknown = JSON.parse(fields.get('iccids')?.[0] ?? '[]')
    return Array.isArray(parsed) ? parsed.map(String) : []
  } catch {
    throw invalid({ iccids: 'The iccids must be an array.' })
  }
}
