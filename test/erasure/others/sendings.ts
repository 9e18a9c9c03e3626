/** Requests that hold an id at each place of the contract where there can be one. */
import { randomUUID } from 'node:crypto'
import type { ServiceScope } from '../../../policy/access/service-scopes.ts'
import { isKeyOf } from '../../../shared/keys-of.ts'
import { type Described, type JsonSchema, readDescribed } from '../../harness/api/described.ts'
import type { Caller } from '../../harness/http.ts'
import type { Person } from '../../harness/people.ts'

export interface Operation {
  method: string
  path: string
  callers: string[]
  /** the scope that a restricted service key needs */
  scope: ServiceScope | null
  parameters: { name: string; in: string }[]
  body: JsonSchema | undefined
  isForm: boolean
}

export interface Sending {
  operation: Operation
  address: string
  body?: Record<string, unknown>
  headers?: Record<string, string>
}

/** An own row is not named here, since it ends what the others need; another person's is. */
export const isEnd = ({ method, path }: Operation): boolean =>
  ['/delete-account', '/account/sign-out', '/account/sessions/end-everywhere'].includes(path) ||
  (method === 'DELETE' && path === '/v1/accounts/{id}') ||
  path === '/v1/accounts/{id}/sign-out'
const takesIds = ({ path, parameters, body }: Operation): boolean =>
  path.includes('{') || body !== undefined || parameters.some((each) => each.in === 'query')

const typeOf = ({ type = [] }: JsonSchema): string | undefined => [type].flat().find((each) => each !== 'null')

export type Sendings = ReturnType<typeof sendingsIn>

export const readSendings = async (anybody: Pick<Caller, 'get'>) => sendingsIn(await readDescribed(anybody))

function sendingsIn(document: Described) {
  const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const content = operation.requestBody?.content ?? {}
      const isForm = 'application/x-www-form-urlencoded' in content
      return {
        method: method.toUpperCase(),
        path,
        callers: operation['x-callers'],
        scope: operation['x-scope'] ?? null,
        parameters: operation.parameters ?? [],
        body: (isForm ? content['application/x-www-form-urlencoded'] : content['application/json'])?.schema,
        isForm,
      }
    }),
  )
  const idsOf = (kinds: readonly string[]): Operation[] =>
    operations.filter((operation) => operation.callers.some((kind) => kinds.includes(kind)) && takesIds(operation))
  const byPersons = idsOf(['person', 'visitor', 'newcomer', 'public'])
  const byTheBackend = idsOf(['service'])

  /** A value that matches a schema, with the id in all places for an id. */
  function filled(schema: JsonSchema, id: string): unknown {
    if (schema.$ref) return filled(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, id)
    if (schema.anyOf?.[0]) return filled(schema.anyOf[0], id)
    if (schema.const !== undefined) return schema.const
    if (schema.enum) return schema.enum[0]
    switch (typeOf(schema)) {
      case 'object':
        return Object.fromEntries(Object.entries(schema.properties ?? {}).map(([name, one]) => [name, filled(one, id)]))
      case 'array':
        return [filled(schema.items ?? {}, id)]
      case 'boolean':
        return true
      case 'integer':
      case 'number':
        return 1
      default:
        return schema.format === 'email' ? `${id}@new.example` : id
    }
  }

  /** Where texts stand in a schema, as paths. @throws for a schema of a form in which an id would not be seen */
  function textsIn(schema: JsonSchema, at: string[] = []): string[][] {
    if (schema.$ref) return textsIn(document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, at)
    if (schema.anyOf?.[0]) return textsIn(schema.anyOf[0], at)
    if (schema.const !== undefined || schema.enum) return []
    // The notice of an outside party, which is signed and in its own form.
    if (at.length === 0 && Object.keys(schema).length === 0) return []
    switch (typeOf(schema)) {
      case 'object':
        return Object.entries(schema.properties ?? {}).flatMap(([name, one]) => textsIn(one, [...at, name]))
      case 'array':
        return textsIn(schema.items ?? {}, [...at, '0'])
      case 'string':
        return [at]
      case 'boolean':
      case 'integer':
      case 'number':
        return []
      default:
        throw new Error(`${at.join('.')} is of a form that this test does not fill: ${JSON.stringify(schema)}`)
    }
  }

  /**
   * Bodies that match the schema: one with all fields, and one for each text with the id beside the required fields.
   */
  function bodiesOf({ path, body }: Operation, id: string, own: Person): Record<string, unknown>[] {
    const needed: Record<string, Record<string, unknown>> = {
      '/v1/accounts': { email: `${randomUUID()}@new.example`, firstName: 'Cleo', lastName: 'Other' },
      '/v1/orders': { accountId: own.accountId, packageCode: 'test-germany-1gb' },
      '/v1/orders/{id}/top-up': { packageCode: 'test-germany-1gb-top-up' },
      '/v1/privacy-requests': { kind: 'other', message: id },
      '/v1/accounts/{id}/devices/{deviceId}': { platform: 'ios' },
      '/v1/accounts/{id}/consents/promotions': { granted: true, source: 'app_settings' },
      '/account/privacy-request': { kind: 'other', message: id, once: id },
    }
    const base = needed[path] ?? {}
    const whole = body && filled(body, id)
    const all: Record<string, unknown> = typeof whole === 'object' ? { ...whole } : {}
    const single = (body ? textsIn(body) : []).map(([name = '', ...rest]) => ({
      ...base,
      [name]: withIdAt(all[name], id, rest),
    }))
    return [base, all, ...single]
  }

  /** Requests with an id: another person's row in the path, and an own row with the id everywhere else. */
  function sendingsOf(operation: Operation, id: string, own: Person, ownOrder: string): Sending[] {
    const { path, parameters } = operation
    const others = path.replaceAll(/\{\w+\}/g, id)
    const theirs = path
      .replace('{id}', path.includes('/orders/{id}') ? ownOrder : own.accountId)
      .replaceAll(/\{\w+\}/g, id)
    if (isEnd(operation)) return path.includes('{') ? [{ operation, address: others }] : []
    const query = parameters.flatMap((each) => (each.in === 'query' ? [`${each.name}=${id}`] : []))
    const addresses = [...query.map((one) => `${theirs}?${one}`), `${theirs}?${query.join('&')}`]
    const bodies = operation.body ? bodiesOf(operation, id, own) : []
    const [base] = bodies
    const headers = parameters.flatMap((each) =>
      each.in === 'header'
        ? [{ operation, address: theirs, headers: { [each.name]: id }, ...(base && { body: base }) }]
        : [],
    )
    if (!base) return [...[others, theirs, ...addresses].map((address) => ({ operation, address })), ...headers]
    return [
      { operation, address: others, body: base },
      ...bodies.map((body) => ({ operation, address: theirs, body })),
      ...headers,
    ]
  }

  return { byPersons, byTheBackend, textsIn, sendingsOf }
}

/** The value with the id at one place, and another text at all others. */
function withIdAt(value: unknown, id: string, at: readonly string[]): unknown {
  const [name, ...rest] = at
  if (typeof value === 'string') return name === undefined ? value : value.replaceAll(id, 'x')
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value).map(([key, one]) => [
    key,
    key === name ? withIdAt(one, id, rest) : withIdAt(one, id, ['nowhere']),
  ])
  return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries)
}

/** The app backend may act for everybody: what it sends about Anna herself is no mistake. */
export function isMeant({ operation, address, body }: Sending, id: string, kind: string | undefined): boolean {
  const named = { account: '/accounts/', order: '/orders/', esim: '/esims/', privacy_request: '/privacy-requests/' }
  const segment = kind !== undefined && isKeyOf(named, kind) ? named[kind] : undefined
  const isNamed = segment !== undefined && operation.path.includes(`${segment}{id}`) && address.includes(segment + id)
  return isNamed || (kind === 'account' && (body?.accountId === id || address.includes(`accountId=${id}`)))
}
