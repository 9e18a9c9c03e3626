import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import type { Language } from '../../messages/languages.ts'
import { runUntil } from '../../shared/deadline.ts'
import { propertyOf } from '../../shared/keys-of.ts'
import { pageContextOf } from '../language/page-context.ts'
import { setContentLanguage } from '../language/request-language.ts'
import { createAccessRecorder } from './accesses.ts'
import { addressOf, asAddress, personAddressHeader } from './address.ts'
import { type AnsweringTimes, answerWithin, limitTime } from './answering.ts'
import { type Authenticate, assertFreshSignIn } from './auth.ts'
import { actorOf, assertReaches, type Caller, hasRole, hasScope, lacksEntry } from './caller.ts'
import { readIdempotencyKey } from './idempotency.ts'
import { validationText } from './input/validation-texts.ts'
import type { Limiter } from './limits.ts'
import { problemCodesOf } from './openapi.ts'
import { type FieldError, fieldErrors, Problem } from './problem.ts'
import { requestContextOf, type Target } from './request-context.ts'
import { type AnyReply, isPage, type Method, neededScope, type Route } from './route.ts'
import { unstorableTexts } from './storable.ts'

/** The objects that every route needs. */
export interface Frame {
  context: Context
  authenticate: Authenticate
  limiter: Limiter
  answering: AnsweringTimes
  /** answers an error */
  fail: ErrorRequestHandler
  /** rejects while a restore is not complete, and when the keys are those of another database */
  assertUsable(): Promise<void>
}

const jsonTypes = ['application/json', 'application/*+json']
/**
 * In bytes: without credentials a caller sends a short form at most; the last two are for routes that say so. A letter
 * of a text takes up to nine bytes in a form.
 */
const bodyLimits = { open: 8 * 1024, known: 64 * 1024, texts: 640 * 1024, payloads: 4 * 1024 * 1024 } as const
const nothing = z.strictObject({})

/** Mounts the routes in Express, and answers 405 to the methods that a path does not have. */
export function mountRoutes(app: Express, routes: readonly Route[], frame: Frame): void {
  const recordAccess = createAccessRecorder(frame.context)
  for (const route of routes) {
    app[route.method](expressPath(route.path), ...handlersOf(route, frame, recordAccess))
  }
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map((route) => route.method)
    app.all(expressPath(path), (_request, response) => {
      requestContextOf(response).template = path
      throw new Problem('method_not_allowed', { headers: { Allow: allowed(methods) } })
    })
  }
}

const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1')

function allowed(methods: readonly Method[]): string {
  const all = methods.includes('get') ? [...methods, 'head'] : methods
  return [...new Set(all)].map((method) => method.toUpperCase()).join(', ')
}

function handlersOf(
  route: Route,
  frame: Frame,
  recordAccess: ReturnType<typeof createAccessRecorder>,
): RequestHandler[] {
  const { context, authenticate, limiter, assertUsable, answering, fail } = frame
  const schemas = {
    params: route.params?.strict() ?? nothing,
    query: (route.foreignQuery ? route.query : route.query?.strict()) ?? nothing,
    body: route.body ?? nothing.optional(),
  }
  const isOpen = route.callers.includes('public')
  const sessions = (['visitor', 'console'] as const).filter((kind) => route.callers.includes(kind))
  const operation = `${route.method.toUpperCase()} ${route.path}`

  const described = new Set(problemCodesOf(route))

  async function identify(request: Request, response: Response, next: () => void): Promise<void> {
    const requestContext = requestContextOf(response)
    requestContext.template = route.path
    requestContext.described = described
    requestContext.webhook = route.rawBody !== undefined || route.unreadBody !== undefined
    requestContext.page = isPage(route)
    // Before the caller is known: keys and sign-ins may be newer than the backup, too.
    if (!route.duringRestore) await assertUsable()
    // A webhook is authenticated by its signature: its Authorization header is not meant for us.
    if (!requestContext.webhook) requestContext.caller = await authenticate(request, requestContext.requestId, sessions)
    next()
  }

  /** Refuses what can be refused before the body is read, since reading it costs memory. */
  async function authorize(request: Request, response: Response, next: () => void): Promise<void> {
    const { caller, requestId } = requestContextOf(response)
    if (!isOpen) assertAdmitted(caller, route)
    if (!isOpen && !hasScope(caller, neededScope(route))) throw new Problem('scope_insufficient')
    if (!hasRole(caller, route.permission)) {
      const event = {
        kind: 'operator_action',
        actor: actorOf(caller),
        detail: `${operation}: role_insufficient`,
      } as const
      await recordSecurityEvent(context.sql, context, { ...event, ip: addressOf(request), requestId, at: new Date() })
      throw new Problem('role_insufficient')
    }
    if (route.freshSignIn) assertFreshSignIn(caller, new Date())
    const params = parse(schemas.params, request.params, 'path')
    const query = parse(schemas.query, request.query, 'query')
    const accountId = route.account === undefined ? undefined : String(params[route.account])
    if (accountId !== undefined) assertReaches(caller, accountId)
    if (route.form) assertOwnSite(request, context.config.PUBLIC_URL)
    route.admit?.({ params, header: (name: string) => request.get(name), ip: addressOf(request) })
    response.locals.target = { params, query, accountId } satisfies Target
    next()
  }

  function answer(request: Request, response: Response): Promise<void> {
    const work = () => runUntil(requestContextOf(response).deadline, () => answerInTime(request, response))
    return route.showFormAgain ? keepTyped(request, response, work) : work()
  }

  /** The visitor gets a refused form back with what they typed, unless it did not come from our page. */
  async function keepTyped(request: Request, response: Response, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const isForged = error instanceof Problem && error.code === 'forged_form'
      const { caller } = requestContextOf(response)
      const { params } = response.locals.target
      if (!isForged) {
        requestContextOf(response).showFormAgain = async (problem) =>
          route.showFormAgain?.(
            { caller, params, page: pageOf(request, response) },
            { typed: typedFields(request.body), problem },
          ) ?? ''
      }
      throw error
    }
  }

  async function answerInTime(request: Request, response: Response): Promise<void> {
    const { caller, requestId, language } = requestContextOf(response)
    const { params, query, accountId } = response.locals.target
    const body = route.rawBody
      ? undefined
      : parse(schemas.body, route.form ? ownForm(request, caller) : request.body, 'body')
    if (caller.kind === 'operator' || caller.kind === 'console') {
      const event = { kind: 'operator_action', actor: actorOf(caller), detail: operation, requestId } as const
      await recordSecurityEvent(context.sql, context, { ...event, accountId, ip: addressOf(request), at: new Date() })
    }
    const idempotency =
      route.idempotencyKey &&
      readIdempotencyKey(context, {
        header: request.get('idempotency-key'),
        required: route.idempotencyKey === 'required',
        operation,
        caller,
        // Without a query as it was before: the keys of older builds go on to match.
        content: { params, body, ...(Object.keys(query).length > 0 && { query }) },
      })
    const reply = await route.handle({
      caller,
      params,
      query,
      body,
      idempotency,
      raw: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
      header: (name: string) => request.get(name),
      ip: personAddress(caller, request),
      language,
      page: pageOf(request, response),
      requestId,
      log: request.log,
    })
    await recordAccess({ caller, route, operation, requestId, accountId, reply })
    if (reply.status < 400 && lacksEntry(route, caller)) {
      const error = new Error(`${operation} has left no entry of what an operator did`)
      // It is done: in production its operator is not told that it failed.
      if (context.config.NODE_ENV !== 'production') throw error
      request.log.error({ error }, 'an act of an operator has left no entry')
    }
    // The answer begins now: one that is written page by page takes as long as its reader does.
    await runUntil(Number.POSITIVE_INFINITY, () => send(response, route, reply))
  }

  const pageOf = (request: Request, response: Response) => (of?: Language) =>
    pageContextOf(request, response, context.config.SUPPORT_MAIL, of)

  return [
    limitTime(answerWithin(route, answering), fail),
    identify,
    ...(route.unlimited ? [] : [limiter.countRequests]),
    authorize,
    ...bodyReaders(route),
    answer,
  ]
}

function bodyReaders(route: Route): RequestHandler[] {
  if (route.unreadBody) return []
  // The content type proves nothing: the signature or the secret decides.
  if (route.rawBody) return [express.raw({ limit: route.rawBody.maxBytes, type: () => true })]
  const known = bodyLimits[route.largeBody ?? 'known']
  const limit = route.callers.includes('public') ? bodyLimits.open : known
  if (route.form) return [express.urlencoded({ extended: false, limit })]
  return [requireJson, express.json({ limit, type: jsonTypes })]
}

/**
 * A form without a session (signing in) has no CSRF token: Fetch Metadata shows that it came from our own page. A
 * browser that sends none says the origin of the page; what says neither is no browser.
 */
function assertOwnSite(request: Request, publicUrl: string): void {
  const site = request.get('sec-fetch-site')
  const origin = request.get('origin')
  const isOwn =
    site === undefined ? origin === undefined || origin === new URL(publicUrl).origin : site === 'same-origin'
  if (!isOwn) throw new Problem('forged_form')
}

function ownForm(request: Request, caller: Caller): unknown {
  const { csrf, ...fields }: Record<string, unknown> = request.body ?? {}
  if ('csrf' in caller && csrf !== caller.csrf) throw new Problem('forged_form')
  return fields
}

/** The fields that a form can have: those that came once. */
function typedFields(body: unknown): Record<string, string> {
  const fields = Object.entries(body ?? {})
  return Object.fromEntries(fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}

function assertAdmitted(caller: Caller, route: Route): void {
  if (route.callers.includes(caller.kind)) return
  if (caller.kind === 'public') throw new Problem('unauthenticated', { headers: { 'WWW-Authenticate': 'Bearer' } })
  throw new Problem(caller.kind === 'newcomer' && route.callers.includes('person') ? 'no_account' : 'forbidden')
}

/** The IP address of the person whom the request is about. The app backend may pass on that of its user. */
function personAddress(caller: Caller, request: Request): string | undefined {
  const given = caller.kind === 'service' ? request.get(personAddressHeader) : undefined
  if (given === undefined) return addressOf(request)
  const address = asAddress(given)
  if (address === undefined)
    throw new Problem('invalid_request', {
      errors: [{ field: `header.${personAddressHeader}`, reason: 'must be an IP address' }],
    })
  return address
}

function requireJson(request: Request, _response: Response, next: () => void): void {
  // HTTP clients send `Content-Length: 0` and no type with a POST that has no body.
  const isEmpty = request.get('content-length') === '0'
  if (!isEmpty && request.is(jsonTypes) === false) throw new Problem('unsupported_media_type')
  next()
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, place: string): z.output<Schema> {
  const parsed = schema.safeParse(value, { error: validationText })
  const errors: FieldError[] = parsed.success ? unstorableTexts(parsed.data, place) : fieldErrors(parsed.error, place)
  if (!parsed.success || errors.length > 0) throw new Problem('invalid_request', { errors })
  return parsed.data
}

async function send(response: Response, route: Route, reply: AnyReply): Promise<void> {
  if (requestContextOf(response).isLate) return
  const definition = route.responses[reply.status]
  if (!definition) throw new Error(`${route.method} ${route.path} does not define a response ${reply.status}`)
  // Express compares tags by itself, and would answer 304 where the answer has none.
  if (!route.responses[304]) delete response.req.headers['if-none-match']
  response.status(reply.status).set({ 'Cache-Control': 'no-store', ...reply.headers })
  if (definition.contentType === 'text/html')
    setContentLanguage(response, requestContextOf(response).pageLanguage, ['Accept-Language', 'Cookie'])
  if (definition.schema) {
    response.type('application/json').send(JSON.stringify(definition.schema.parse(reply.body)))
  } else if (definition.contentType) {
    response.type(definition.contentType)
    if (reply.raw === undefined || typeof reply.raw === 'string' || Buffer.isBuffer(reply.raw)) response.send(reply.raw)
    else await stream(response, reply.raw)
  } else {
    response.end()
  }
}

/**
 * The status is sent before a chunk can fail: cutting the connection is the only way to say that the answer is not
 * whole.
 */
async function stream(response: Response, chunks: AsyncIterable<string | Buffer>): Promise<void> {
  try {
    await pipeline(Readable.from(chunks), response)
  } catch (error) {
    // This code means that the caller closed the connection: no error of ours.
    if (propertyOf(error, 'code') !== 'ERR_STREAM_PREMATURE_CLOSE') {
      response.err = error instanceof Error ? error : new Error('a value that is no Error was thrown')
    }
    response.destroy()
  }
}
