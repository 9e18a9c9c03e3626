/** The common part of all endpoints: key, version, parameters, idempotency, expansion and the shape of answers. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Request, Response, Router } from 'express'
import { rawBody } from '../simulator.ts'
import { type Account, newId } from './account.ts'
import { apiVersion } from './events.ts'
import { createIdempotencyStore } from './idempotency.ts'
import { type Parameters, parseForm, textList } from './parameters.ts'
import { invalidParameter, Refusal, unknownPath } from './refusal.ts'

export interface Call {
  parameters: Parameters
  /** `:id` of the path */
  id: string
  /** the `Stripe-Version` header, if any */
  version: string | undefined
  /** called with the publishable key: only with the client secret of the object */
  isApp: boolean
  /** where the simulator was asked, for addresses of its pages */
  origin: string
}

/** A fault within an endpoint, which the idempotency store sees; it does not see a simulator's Fault. */
export interface EndpointFault {
  path: RegExp
  times: number
  delayMs: number
  /** answer with an api_error of this status, or with a refusal by this code */
  status: number | undefined
  code?: string | undefined
  /** with a status: whether the request is applied nevertheless */
  applied: boolean
}

type Handler = (call: Call) => object

export type Protocol = ReturnType<typeof createProtocol>

/** @param publishableKey what the app sends; accepted by endpoints that say so */
export function createProtocol(account: Account, secretKey: string, publishableKey?: string) {
  const store = createIdempotencyStore(() => account.now())
  const faults: EndpointFault[] = []

  /** @param known the endpoint's parameters besides `expand`; any other is refused */
  function endpoint(
    router: Router,
    method: 'get' | 'post' | 'delete',
    path: string,
    known: string[],
    run: Handler,
    { forApps = false }: { forApps?: boolean } = {},
  ): void {
    router[method](path, async (request: Request, response: Response) => {
      const requestId = newId('req')
      const key = method === 'post' ? request.get('idempotency-key') : undefined
      response.set({ 'request-id': requestId, 'stripe-version': request.get('stripe-version') ?? apiVersion })
      if (key) response.set('idempotency-key', key)
      let begun = false
      try {
        const isApp = authenticate(request, forApps ? [secretKey, publishableKey] : [secretKey]) === publishableKey
        const kept = key ? store.begin(checkedKey(key), `${method} ${request.path}\n${rawBody(request)}`) : undefined
        if (kept) {
          response.set({ 'idempotent-replayed': 'true', 'original-request': kept.requestId })
          return send(response, kept.status, kept.body)
        }
        begun = key !== undefined
        const body = JSON.stringify(await execute(request, method, known, run, isApp))
        if (key) store.finish(key, { status: 200, body, requestId })
        send(response, 200, body)
      } catch (error) {
        if (!(error instanceof Refusal)) {
          if (key && begun) store.abandon(key)
          throw error
        }
        const request_log_url = `https://dashboard.stripe.com/test/logs/${requestId}`
        const body = JSON.stringify({ error: { ...error.body, request_log_url } })
        if (key && begun && error.beforeExecution) store.abandon(key)
        else if (key && begun) store.finish(key, { status: error.status, body, requestId })
        send(response, error.status, body)
      }
    })
  }

  async function execute(
    request: Request,
    method: string,
    known: string[],
    run: Handler,
    isApp: boolean,
  ): Promise<object> {
    const fault = faults.find((candidate) => candidate.times > 0 && candidate.path.test(request.path))
    if (fault) fault.times -= 1
    if (fault?.delayMs) await pause(fault.delayMs)
    if (fault?.status && !fault.applied) throw broken(fault)

    const source = method === 'post' ? rawBody(request) : (request.originalUrl.split('?')[1] ?? '')
    const parameters = parseForm(source)
    const unknown = Object.keys(parameters).find((name) => name !== 'expand' && !known.includes(name))
    if (unknown) throw invalidParameter('parameter_unknown', unknown, `Received unknown parameter: ${unknown}`)
    const reply = run({
      parameters,
      id: String(request.params.id ?? ''),
      version: request.get('stripe-version'),
      isApp,
      origin: `${request.protocol}://${request.get('host')}`,
    })
    if (fault?.status) throw broken(fault)

    const paths = textList(parameters, 'expand')
    if (paths.length === 0) return reply
    const expanded = structuredClone(reply)
    for (const path of paths) expand(account, expanded, path.split('.'))
    return expanded
  }

  /** Answers every other path with Stripe's error object. To be mounted last. */
  function otherwise(router: Router): void {
    for (const method of ['get', 'post', 'delete'] as const) {
      endpoint(router, method, '/v1/*path', [], () => {
        throw unknownPath()
      })
    }
  }

  return {
    endpoint,
    otherwise,
    answers: store,
    order: (fault: EndpointFault) => void faults.push(fault),
    reset: () => {
      store.clear()
      faults.length = 0
    },
  }
}

function authenticate(request: Request, keys: readonly (string | undefined)[]): string {
  const given = request.get('authorization')
  // A key is a bearer token or the user of basic authentication: docs.stripe.com/api/authentication
  const [scheme, credentials = ''] = given?.split(' ') ?? []
  const key = scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString().split(':')[0] : credentials
  if (key && keys.includes(key)) return key
  const message = given ? 'Invalid API Key provided.' : 'You did not provide an API key.'
  throw new Refusal(401, { type: 'invalid_request_error', message }, true)
}

function checkedKey(key: string): string {
  if (key.length <= 255) return key
  throw new Refusal(400, { type: 'invalid_request_error', message: 'The idempotency key is too long.' }, true)
}

const broken = ({ status = 500, code }: EndpointFault): Refusal =>
  code === undefined
    ? new Refusal(status, { type: 'api_error', message: 'Something went wrong on the far side.' })
    : new Refusal(status, { type: 'invalid_request_error', code, message: 'It is refused.' })

function send(response: Response, status: number, body: string): void {
  response.status(status).type('application/json').send(body)
}

/** Replaces ids by their objects, along a path with dots: docs.stripe.com/api/expanding_objects */
function expand(account: Account, target: unknown, [field = '', ...rest]: string[]): void {
  if (Array.isArray(target)) {
    for (const item of target) expand(account, item, [field, ...rest])
    return
  }
  if (!isObject(target)) return
  const value = target[field]
  if (typeof value === 'string') {
    const found =
      account.paymentIntents.get(value) ??
      account.charges.get(value) ??
      account.refunds.get(value) ??
      account.customers.get(value) ??
      account.deletedCustomers.get(value)
    if (!found) throw invalidParameter('parameter_unknown', 'expand', `This property cannot be expanded: ${field}`)
    target[field] = structuredClone(found)
  } else if (!(field in target)) {
    throw invalidParameter('parameter_unknown', 'expand', `This property cannot be expanded: ${field}`)
  }
  if (rest.length > 0) expand(account, target[field], rest)
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
