/** Every input of the OpenAPI document, and requests that are right but for one of them. */
import type { Described, DescribedOperation, JsonSchema } from '../../harness/api/described.ts'

/** One place of one operation where a caller can put a value. */
export interface Input {
  method: string
  path: string
  callers: string[]
  /** the statuses that the document describes */
  statuses: string[]
  place: 'path' | 'query' | 'header' | 'body' | 'form'
  /** the name of a parameter, or the way to a field of the body */
  at: readonly string[]
  schema: JsonSchema
  operation: DescribedOperation
}

const jsonType = 'application/json'
const formType = 'application/x-www-form-urlencoded'

/** Every input of a document. */
export function inputsOf(document: Described): Input[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const shared = {
        method: method.toUpperCase(),
        path,
        callers: operation['x-callers'],
        statuses: Object.keys(operation.responses),
        operation,
      }
      const parameters = (operation.parameters ?? []).map(
        ({ name, in: place, schema }): Input => ({ ...shared, place, at: [name], schema }),
      )
      const content = operation.requestBody?.content ?? {}
      const bodies = (['body', 'form'] as const).flatMap((place) => {
        const schema = content[place === 'body' ? jsonType : formType]?.schema
        return schema ? fieldsOf(document, schema).map((field): Input => ({ ...shared, place, ...field })) : []
      })
      return [...parameters, ...bodies]
    }),
  )
}

/** Every operation that reads, as an input that no request has: nothing of the request is hostile. */
export const readsOf = (document: Described): Input[] =>
  Object.entries(document.paths).flatMap(([path, { get: operation }]): Input[] =>
    operation
      ? [
          {
            method: 'GET',
            path,
            callers: operation['x-callers'],
            statuses: Object.keys(operation.responses),
            place: 'header',
            at: [''],
            schema: {},
            operation,
          },
        ]
      : [],
  )

/** The fields of a body, with those of objects within it, of the items of lists, and of each alternative. */
function fieldsOf(document: Described, given: JsonSchema, at: readonly string[] = []): Pick<Input, 'at' | 'schema'>[] {
  const schema = resolved(document, given)
  const own = at.length === 0 ? [] : [{ at, schema }]
  const inner = Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    fieldsOf(document, field, [...at, name]),
  )
  const items = schema.items ? fieldsOf(document, schema.items, [...at, '0']) : []
  const ways = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((way) =>
    fieldsOf(document, way, at).filter((field) => field.at.length > at.length),
  )
  return [...own, ...inner, ...items, ...ways]
}

function resolved(document: Described, schema: JsonSchema): JsonSchema {
  if (schema.$ref === undefined) return schema
  const found = document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
  if (!found) throw new Error(`${schema.$ref} is missing`)
  return resolved(document, found)
}

/** Values that exist, by the name of the field that takes them. */
export type Known = Readonly<Record<string, string>>

const byFormat: Record<string, string> = {
  uuid: '7f1c2a34-5b6d-4e8f-9a0b-1c2d3e4f5a6b',
  'date-time': '2026-11-01T10:00:00Z',
  date: '2026-11-01',
  uri: 'https://receiver.invalid/',
  email: 'somebody@elsewhere.example',
}
const forPatterns = ['a'.repeat(64), '2026-11', '2026-Q3', 'USD', 'DE', 'x1', 'a-1']

/** A value that fits a schema, with the fields that it requires. */
function exampleOf(document: Described, given: JsonSchema, known: Known, name = ''): unknown {
  const schema = resolved(document, given)
  if (known[name] !== undefined) return known[name]
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  const way = schema.anyOf?.[0] ?? schema.oneOf?.[0] ?? schema.allOf?.[0]
  if (way) return exampleOf(document, way, known, name)
  const type = [schema.type].flat()[0]
  if (type === 'object') {
    const required = schema.required ?? []
    return Object.fromEntries(
      required.map((field) => [field, exampleOf(document, schema.properties?.[field] ?? {}, known, field)]),
    )
  }
  if (type === 'array') {
    return Array.from({ length: schema.minItems ?? 1 }, () => exampleOf(document, schema.items ?? {}, known, name))
  }
  if (type === 'integer' || type === 'number') return Math.max(1, schema.minimum ?? 1)
  if (type === 'boolean') return true
  const { pattern, format = '' } = schema
  if (pattern !== undefined) return forPatterns.find((text) => new RegExp(pattern, 'u').test(text)) ?? 'x1'
  return byFormat[format] ?? 'Some text'
}

export interface HostileRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}

/** Where a value is put into JSON text. */
const slot = 'the-hostile-value'

/**
 * A request that is right but for one input.
 * @param value as JSON
 * @returns undefined when HTTP cannot carry the value there
 */
export function requestWith(
  document: Described,
  input: Input,
  value: string,
  known: Known,
): HostileRequest | undefined {
  const { operation, place, at } = input
  const text = textOf(value)
  const headers: Record<string, string> = {}
  let path = input.path
  const query: string[] = []
  for (const { name, in: where, required, schema } of operation.parameters ?? []) {
    const isHostile = where === place && name === at[0]
    if (!isHostile && where !== 'path' && !required) continue
    const sent = isHostile ? text : String(exampleOf(document, schema, known, name))
    if (where === 'path') {
      if (sent === '' || sent === '.' || sent === '..') return undefined
      path = path.replace(`{${name}}`, encoded(sent))
    } else if (where === 'query') query.push(`${encodeURIComponent(name)}=${encoded(sent)}`)
    else if (/^[\t\u0020-\u00ff]*$/.test(sent) && !sent.includes('\u007f')) headers[name] = sent
    else return undefined
  }
  const url = query.length > 0 ? `${path}?${query.join('&')}` : path
  const content = operation.requestBody?.content ?? {}
  const schema = content[jsonType]?.schema ?? content[formType]?.schema
  if (!schema) return { method: input.method, url, headers }
  const example = exampleOf(document, schema, known)
  const isForm = content[jsonType] === undefined
  headers['content-type'] = isForm ? formType : jsonType
  const isInBody = place === 'body' || place === 'form'
  const filled = isInBody ? put(example, at) : example
  const body = isForm
    ? Object.entries(fieldsIn(filled))
        .map(([name, field]) => `${encodeURIComponent(name)}=${encoded(field === slot ? text : String(field))}`)
        .join('&')
    : JSON.stringify(filled).replace(JSON.stringify(slot), () => value)
  return { method: input.method, url, headers, body }
}

/** A copy with the slot at a place, which may not exist in it yet. */
function put(value: unknown, at: readonly string[]): unknown {
  const [name, ...rest] = at
  if (name === undefined) return slot
  if (name === '0') return [put(Array.isArray(value) ? value[0] : undefined, rest)]
  const fields = fieldsIn(value)
  return { ...fields, [name]: put(fields[name], rest) }
}

const fieldsIn = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? { ...value } : {}

const textOf = (value: string): string => {
  const parsed: unknown = JSON.parse(value)
  return typeof parsed === 'string' ? parsed : value
}

/** Percent-encoded; half of a surrogate pair as the three bytes that UTF-8 would have for it. */
const encoded = (text: string): string =>
  text
    .split(/([\ud800-\udfff])/u)
    .map((part) => (/^[\ud800-\udfff]$/u.test(part) ? '%ED%A0%80' : encodeURIComponent(part)))
    .join('')
