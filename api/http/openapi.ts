import { OpenAPIRegistry, OpenApiGeneratorV31 } from '@asteasolutions/zod-to-openapi'
import { z } from 'zod'
import { milliseconds, periods } from '../../policy/periods.ts'
import { type SessionKind, sessionCookieName } from '../sign-in/session-cookie.ts'
import { defaultAnswering } from './answering.ts'
import { passes, problemSchema } from './problem.ts'
import { type ProblemCode, problems } from './problems.ts'
import { isPage, neededScope, type ResponseDefinition, type Route } from './route.ts'

export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>

/** A request that we send, and its caller answers. */
export interface WebhookDefinition {
  name: string
  summary: string
  headers: z.ZodObject
  body: z.ZodType
}

/**
 * The OpenAPI document, made from the routes' definitions.
 * @param publicUrl the API's base address
 * @param webhook what is sent to webhook endpoints
 * @param named schemas with a name, in the form that the name has wherever it is used
 */
export function describeRoutes(
  routes: readonly Route[],
  publicUrl: string,
  webhook: WebhookDefinition,
  named: readonly z.ZodType[],
): OpenApiDocument {
  const registry = new OpenAPIRegistry()
  const key = registry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description:
      'A service or operator key: `ama_<kind>_<id>_<secret>`. A service key may be restricted to scopes: `x-scope` of an operation is the one that it needs.',
  })
  const person = registry.registerComponent('securitySchemes', 'person', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'Firebase ID token',
    description: 'Of a signed-in person, for an app without a backend. `GET /v1/account` has their account.',
  })
  const cookie = (kind: SessionKind, description: string) =>
    registry.registerComponent('securitySchemes', kind, {
      type: 'apiKey',
      in: 'cookie',
      name: sessionCookieName(kind, publicUrl),
      description,
    }).name
  const schemes = {
    key: key.name,
    person: person.name,
    visitor: cookie('visitor', "A person's session on the web pages"),
    console: cookie('console', "An operator's session on the console"),
  }
  for (const route of routes) {
    const body = bodyOf(route)
    registry.registerPath({
      method: route.method,
      path: route.path,
      operationId: operationId(route),
      tags: [route.tag],
      summary: route.summary,
      ...(route.description !== undefined && { description: route.description }),
      security: securityOf(route, schemes),
      request: {
        ...(route.params && { params: route.params }),
        ...(route.query && { query: route.query }),
        ...(body && { body }),
        headers: z.object(headersOf(route)),
      },
      responses: responsesOf(route),
      'x-callers': route.callers,
      ...(route.callers.includes('service') && { 'x-scope': neededScope(route) ?? null }),
      ...(route.reads && { 'x-reads': route.reads }),
      ...(route.promises && { 'x-promises': route.promises }),
    })
  }
  registry.registerWebhook({
    method: 'post',
    path: webhook.name,
    summary: webhook.summary,
    request: {
      headers: webhook.headers,
      body: { content: { 'application/json': { schema: webhook.body } }, required: true },
    },
    responses: { '2XX': { description: 'The event has arrived. Anything else is tried again for three days.' } },
  })
  const definitions = [...named.map((schema) => ({ type: 'schema' as const, schema })), ...registry.definitions]
  const document = new OpenApiGeneratorV31(definitions).generateDocument({
    openapi: '3.1.0',
    info: {
      title: 'AMA eSIM',
      version: '1',
      description: [
        'Sells travel eSIMs. Every error is an RFC 9457 problem; its type leads to its meaning.',
        'What may be repeated later (429, 503 and `request_in_progress`) has `Retry-After`, in seconds.',
        `An answer begins within ${defaultAnswering.usual / 1000} seconds.`,
        'Answers to requests that are counted have `RateLimit`: how many requests are left, and for how many seconds.',
        'Only what is refused before a route is known has no body: bytes that are no HTTP (400), headers and path of more than 16 kB together (431), a request that arrives too slowly (408).',
      ].join(' '),
    },
    servers: [{ url: publicUrl }],
  })
  return withWideIntegers(withNullableReferences(document))
}

/**
 * The library writes a nullable named schema as `allOf: [reference, string or null]`, which no null fulfils. It becomes
 * `anyOf: [reference, null]`.
 */
function withNullableReferences(document: OpenApiDocument): OpenApiDocument {
  return JSON.parse(JSON.stringify(document), (_name, node) => {
    const isOfTwo = Array.isArray(node?.allOf) && node.allOf.length === 2
    if (!isOfTwo || !('$ref' in node.allOf[0]) || !node.allOf[1].type?.includes?.('null')) return node
    const { allOf, ...rest } = node
    return { ...rest, anyOf: [allOf[0], { type: 'null' }] }
  })
}

/**
 * Generators make a number of 32 bits of an integer that says nothing, and a package of 2 GB has 2^31 bytes. Each says
 * `int64`, also where it is small: amounts are compared and passed on between schemas.
 */
function withWideIntegers(document: OpenApiDocument): OpenApiDocument {
  return JSON.parse(JSON.stringify(document), (_name, node) =>
    [node?.type].flat().includes('integer') ? { format: 'int64', ...node } : node,
  )
}

function operationId(route: Route): string {
  const words = route.path.split(/[/{}.-]+/).filter((word) => word !== '' && word !== 'v1')
  // The page /account and the route /v1/account are two operations.
  const named = route.tag === 'pages' ? [...words, 'page'] : words
  return [route.method, ...named.map((word) => `${word[0]?.toUpperCase()}${word.slice(1)}`)].join('')
}

type Schemes = Record<'key' | 'person' | SessionKind, string>

function securityOf({ callers }: Route, schemes: Schemes): Record<string, string[]>[] {
  return [
    ...(callers.includes('public') ? [{}] : []),
    ...(callers.includes('service') || callers.includes('operator') ? [{ [schemes.key]: [] }] : []),
    ...(callers.includes('person') || callers.includes('newcomer') ? [{ [schemes.person]: [] }] : []),
    ...(callers.includes('visitor') ? [{ [schemes.visitor]: [] }] : []),
    ...(callers.includes('console') ? [{ [schemes.console]: [] }] : []),
  ]
}

/** A body that an outside party defines is described by its media type alone. */
function bodyOf({ body, form, rawBody, unreadBody }: Route) {
  if (unreadBody) return { content: Object.fromEntries(unreadBody.map((type) => [type, { schema: {} }])) }
  if (rawBody !== undefined) return { content: { [rawBody.mediaType]: { schema: {} } }, required: true }
  if (!body) return undefined
  const mediaType = form ? 'application/x-www-form-urlencoded' : 'application/json'
  return { content: { [mediaType]: { schema: body } }, required: !acceptsNothing(body) }
}

function headersOf(route: Route): Record<string, z.ZodType> {
  const described: Record<string, z.ZodType> = {}
  if (route.idempotencyKey) {
    const hours = periods.idempotencyKeysMs / milliseconds.hour
    const header = z
      .string()
      .min(1)
      .max(255)
      .describe(
        `new for each thing you want done; repeat it to repeat safely. It is remembered for ${hours} hours, for its caller, operation and account: the same request has the outcome of the first one, and another request is refused. After a refusal the next request with it counts as the first; ${hours} hours later it is a new key`,
      )
    described['Idempotency-Key'] = route.idempotencyKey === 'required' ? header : header.optional()
  }
  for (const [name, meaning] of Object.entries(route.requestHeaders ?? {})) {
    described[name] = z.string().optional().describe(meaning)
  }
  return described
}

const acceptsNothing = (body: z.ZodType): boolean => body.safeParse(undefined).success

function responsesOf(route: Route) {
  const codes = problemCodesOf(route)
  const refused = codes.map((code) => problems[code].status)
  const statuses = [...new Set([...Object.keys(route.responses).map(Number), ...refused])].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const success = route.responses[status]
      const ofStatus = codes.filter((code) => problems[code].status === status)
      const refusal = ofStatus.map((code) => `\`${code}\`: ${problems[code].meaning}`)
      const { description, headers: ofSuccess, content } = success ? successOf(success) : {}
      const headers = ofStatus.some(passes) ? { ...ofSuccess, ...whenToRepeat } : ofSuccess
      return [
        String(status),
        {
          description: [...(description === undefined ? [] : [description]), ...refusal].join('\n\n'),
          ...(headers && { headers }),
          ...((content || refusal.length > 0) && {
            content: {
              ...content,
              ...(refusal.length > 0 && problemContent(route)),
            },
          }),
        },
      ] as const
    }),
  )
}

const problemContent = (route: Route): DescribedResponse['content'] =>
  isPage(route)
    ? { 'text/html': { schema: { type: 'string' as const } } }
    : { 'application/problem+json': { schema: problemSchema } }

/** The schema of a body that the route writes itself. */
type RawSchema = { type: 'string'; format?: string } | { type: 'object'; additionalProperties: true }

interface DescribedResponse {
  description?: string
  content?: Record<string, { schema: z.ZodType | RawSchema }>
  headers?: Record<string, { description: string; schema: { type: 'string' | 'integer' } }>
}

const whenToRepeat = {
  'Retry-After': {
    description: 'seconds until the request may be repeated, with the same Idempotency-Key',
    schema: { type: 'integer' as const },
  },
}

/** Generators make bytes of `format: binary`; without it an image would be a text. */
function rawSchema(contentType: string): RawSchema {
  if (/[/+]json$/.test(contentType)) return { type: 'object', additionalProperties: true }
  return contentType.startsWith('text/') ? { type: 'string' } : { type: 'string', format: 'binary' }
}

function successOf(definition: ResponseDefinition): DescribedResponse {
  const { description, schema, contentType, headers } = definition
  const content = schema
    ? { 'application/json': { schema } }
    : contentType !== undefined && { [contentType]: { schema: rawSchema(contentType) } }
  const headerObjects = Object.entries(headers ?? {}).map(
    ([name, meaning]) => [name, { description: meaning, schema: { type: 'string' as const } }] as const,
  )
  return {
    description,
    ...(content && { content }),
    ...(headerObjects.length > 0 && { headers: Object.fromEntries(headerObjects) }),
  }
}

/** The problems that the route declares, and those that can be answered before its handler runs. */
export function problemCodesOf(route: Route): ProblemCode[] {
  const open = route.callers.includes('public')
  const codes: ProblemCode[] = ['invalid_request', 'too_many_requests', 'internal_error', 'unavailable']
  if (!route.duringRestore) codes.push('restoring')
  if (!open || !(route.rawBody || route.unreadBody)) codes.push('unauthenticated')
  if (!open) codes.push('forbidden')
  if (route.callers.includes('person') && !route.callers.includes('newcomer') && !open) codes.push('no_account')
  if (route.freshSignIn) codes.push('fresh_sign_in_required')
  if (route.account) codes.push('not_found')
  // A person asks for what is not theirs, or their account was erased after they were recognised.
  if (route.callers.includes('person') || (route.callers.includes('visitor') && !open)) codes.push('not_found')
  // A body is also read, and refused, where none is wanted.
  if (!route.unreadBody) codes.push('body_too_large', 'unsupported_media_type')
  if (!route.unreadBody && !route.rawBody && !route.form) codes.push('malformed_json')
  if (route.idempotencyKey) codes.push('idempotency_key_reused', 'request_in_progress', 'account_missing')
  if (route.callers.includes('service') && !open) codes.push('scope_insufficient')
  if (route.callers.includes('console')) codes.push('role_insufficient')
  if (route.form) codes.push('forged_form')
  if (route.form && route.callers.includes('visitor')) codes.push('account_missing')
  if (route.idempotencyKey === 'required') codes.push('idempotency_key_required')
  return [...new Set([...codes, ...(route.problems ?? [])])]
}
