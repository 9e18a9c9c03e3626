/** The definition of a route. Express, the OpenAPI document and the generated client are all made from it. */

import type { z } from 'zod'
import type { Language } from '../../messages/languages.ts'
import type { ServiceScope } from '../../policy/access/service-scopes.ts'
import type { FieldGroup } from '../../policy/field-groups.ts'
import type { OperatorPermission } from '../../policy/operators/operator-roles.ts'
import type { PromiseId } from '../../policy/promises.ts'
import type { Log } from '../../shared/log.ts'
import type { PageContext } from '../pages/layout.tsx'
import type { CallerKind, CallerOf } from './caller.ts'
import type { IdempotentRequest } from './idempotency.ts'
import type { Problem } from './problem.ts'
import type { ProblemCode } from './problems.ts'

export type Method = 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete'

export interface ResponseDefinition {
  description: string
  /** of a JSON body; fields that the schema does not name are not sent */
  schema?: z.ZodType
  /** of a body that is not JSON */
  contentType?: string
  headers?: Record<string, string>
}

/** The answer with a page. */
export const html = { description: 'A page', contentType: 'text/html' } as const
/** The answer of a form that leads to another page by 303. */
export const elsewhere = { description: 'Done; the answer is on another page' } as const

export type ResponseDefinitions = Readonly<Record<number, ResponseDefinition>>

/** A list sends a header several times, as `Set-Cookie` needs it. */
export type ReplyHeaders = Record<string, string | string[]>

/** One of the responses, as its definition says. */
export type Reply<Responses extends ResponseDefinitions> = {
  [Status in keyof Responses & number]: {
    status: Status
    headers?: ReplyHeaders
    /** whose personal data it has, where neither the path nor an `accountId` of the body says so: for the access log */
    about?: readonly string[]
  } & (Responses[Status] extends { schema: infer Schema extends z.ZodType }
    ? { body: z.input<Schema> }
    : Responses[Status] extends { contentType: string }
      ? { raw: Buffer | string | AsyncIterable<string | Buffer> }
      : { body?: never })
}[keyof Responses & number]

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

export interface RawBody {
  mediaType: string
  maxBytes: number
}

export type IdempotencyKeyUse = 'required' | 'optional' | undefined

type Idempotency<Use> = Use extends 'required'
  ? IdempotentRequest
  : Use extends 'optional'
    ? IdempotentRequest | undefined
    : undefined

export interface Handled<Kind extends CallerKind, Params, Query, Body, Use> {
  caller: CallerOf<Kind>
  params: Parsed<Params>
  query: Parsed<Query>
  body: Parsed<Body>
  idempotency: Idempotency<Use>
  /** bytes as received; empty unless the route takes `rawBody` */
  raw: Buffer
  /** a request header, by its name in any case */
  header(name: string): string | undefined
  /** the caller's IP address, as the trusted proxies report it */
  ip: string | undefined
  /** that the request asks for */
  language: Language
  /**
   * For the page that is answered. Its language is the one chosen on our pages, else that of the account whose page it
   * is, else the one that the browser asks for.
   * @param of of an account that a link names, where nobody is signed in
   */
  page(of?: Language): PageContext
  requestId: string
  log: Log
}

/** A form that was refused, as it was typed. */
export interface RefusedForm {
  /** the fields by their names */
  typed: Readonly<Record<string, string>>
  problem: Problem
}

export interface RouteDefinition<
  Kind extends CallerKind,
  Params extends z.ZodObject | undefined,
  Query extends z.ZodObject | undefined,
  Body extends z.ZodType | undefined,
  Responses extends ResponseDefinitions,
  Use extends IdempotencyKeyUse,
> {
  method: Method
  /** as OpenAPI writes it: `/v1/orders/{id}` */
  path: `/${string}`
  tag: string
  summary: string
  description?: string
  /** the promises that the route helps to keep */
  promises?: readonly PromiseId[]
  /** `public` admits every caller, with or without credentials */
  callers: readonly Kind[]
  /** the personal data in its answer to an operator or the app backend, for the access log */
  reads?: readonly FieldGroup[]
  /** the path parameter that holds an account id: a person is admitted for their own account only */
  account?: string
  /** a person must have signed in within `periods.freshSignInMs` */
  freshSignIn?: boolean
  /** what an operator's role on the console has to permit; default: admins alone */
  permission?: OperatorPermission
  /**
   * why what an operator does by it leaves no entry (api/acts/recorded-acts.ts); without it, whoever writes
   * leaves one
   */
  unrecorded?: string
  /** which restricted service keys may call it; default: `read` for what reads, none for what writes */
  scope?: ServiceScope
  idempotencyKey?: Use
  /** other request headers that the route reads, with their meaning */
  requestHeaders?: Readonly<Record<string, string>>
  /** not counted against any limit */
  unlimited?: boolean
  /** also answered while a restored database is not complete */
  duringRestore?: true
  /**
   * the body comes from a form on our pages: it must come from the same site, with the session's `csrf` if there is one
   */
  form?: boolean
  /** The page with the form once more, after a refusal. Without it the refusal has a separate page. */
  showFormAgain?(
    request: Pick<Handled<Kind, Params, Query, Body, Use>, 'caller' | 'params' | 'page'>,
    refused: RefusedForm,
  ): Promise<string> | string
  /** accepts more than 64 kB: `texts` of the longest that its schema allows, or 4 MB of `payloads` */
  largeBody?: 'texts' | 'payloads'
  /** the handler gets the body's bytes unparsed; the request counts against the `webhook` limit */
  rawBody?: RawBody
  /** media types of a body that is accepted and not read; the request counts against the `webhook` limit */
  unreadBody?: readonly string[]
  params?: Params
  query?: Query
  /** another site leads here, which may add parameters of its own */
  foreignQuery?: true
  body?: Body
  /**
   * Refuses callers whose credentials are in the path or in headers other than `Authorization`, before their body is
   * read.
   * @throws Problem
   */
  admit?(request: Pick<Handled<Kind, Params, Query, Body, Use>, 'params' | 'header' | 'ip'>): void
  responses: Responses
  /** the problems it can answer beside those of every route */
  problems?: readonly ProblemCode[]
  handle(
    request: Handled<Kind, Params, Query, Body, Use>,
  ): Promise<Reply<NoInfer<Responses>>> | Reply<NoInfer<Responses>>
}

/** A checked route, without the types of its parameters: `mountRoutes` needs one type for all routes. */
export interface Route
  extends Omit<
    RouteDefinition<
      CallerKind,
      z.ZodObject | undefined,
      z.ZodObject | undefined,
      z.ZodType | undefined,
      ResponseDefinitions,
      IdempotencyKeyUse
    >,
    'admit' | 'handle' | 'showFormAgain'
  > {
  admit?(request: unknown): void
  showFormAgain?(request: unknown, refused: RefusedForm): Promise<string> | string
  handle(request: unknown): Promise<AnyReply> | AnyReply
}

export interface AnyReply {
  status: number
  headers?: ReplyHeaders
  about?: readonly string[]
  body?: unknown
  /** an iterable is streamed; when it throws, the connection is cut, so that a part cannot pass for the whole */
  raw?: Buffer | string | AsyncIterable<string | Buffer>
}

/** Types a route's handler by the route's callers, schemas and responses. */
export function defineRoute<
  const Kind extends CallerKind,
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
  const Responses extends ResponseDefinitions = ResponseDefinitions,
  Use extends IdempotencyKeyUse = undefined,
>(definition: RouteDefinition<Kind, Params, Query, Body, Responses, Use>): Route {
  return definition
}

/** Whether a route answers with pages: then its problems are answered as pages, too. */
export const isPage = (route: Pick<Route, 'responses'>): boolean =>
  Object.values(route.responses).some(({ contentType }) => contentType === 'text/html')

/** The scope that a restricted service key needs for a route. */
export const neededScope = ({ scope, method }: Pick<Route, 'scope' | 'method'>): ServiceScope | undefined =>
  scope ?? (method === 'get' ? 'read' : undefined)
