/** Each status has its values, and what each means, in the OpenAPI document and on /docs. */
import { expect, test } from 'vitest'
import { z } from 'zod'
import { type JsonSchema, jsonSchema, readDescribed } from '../harness/api/described.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const document = await readDescribed(harness.anonymous)
const named = document.components.schemas
const withFields = z.object({ properties: z.record(z.string(), jsonSchema) })

const isStatus = (field: string): boolean => /^(status|state|outcome)$|(Status|State)$/.test(field)

/** Each status among the fields of a part of the document, with its place. */
function statusesIn(node: unknown, place: string): [string, JsonSchema][] {
  if (node === null || typeof node !== 'object') return []
  const own = Object.entries(withFields.safeParse(node).data?.properties ?? {})
    .filter(([name]) => isStatus(name))
    .map(([name, schema]): [string, JsonSchema] => [`${place}.${name}`, target(schema)])
  return [...own, ...Object.entries(node).flatMap(([name, part]) => statusesIn(part, `${place}/${name}`))]
}

function target(schema: JsonSchema): JsonSchema {
  const reference = schema.$ref ?? schema.anyOf?.[0]?.$ref
  return reference === undefined ? schema : (named[reference.split('/').at(-1) ?? ''] ?? {})
}

test('every status is an enumeration, and each of its values has a meaning', () => {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.values(methods).map(({ responses }) => [path, responses]),
  )
  const statuses = statusesIn({ schemas: named, answers: operations }, '')
  expect(statuses.length).toBeGreaterThan(25)
  // A problem has the number of its answer; what can have one value alone is said by the field's name.
  const open = statuses.filter(([, { type, enum: values }]) => type !== 'integer' && values?.length !== 1)
  const unexplained = open.filter(
    ([, { enum: values, 'x-enum-descriptions': meanings }]) => !values || meanings?.length !== values.length,
  )
  expect(unexplained.map(([place]) => place)).toEqual([])
})

test('no named schema takes null itself: a place where null can be says so', () => {
  const nullable = Object.entries(named).filter(([, { type }]) => [type].flat().includes('null'))
  expect(nullable.map(([name]) => name)).toEqual([])
  expect(named.Order?.properties?.dispute).toEqual({
    anyOf: [{ $ref: '#/components/schemas/DisputeState' }, { type: 'null' }],
  })
})

test('/docs has the meaning of each value, and leads to it from the fields', async () => {
  const { text } = await harness.anonymous.get('/docs')
  const meanings = Object.values(named).flatMap((schema) => schema['x-enum-descriptions'] ?? [])
  expect(meanings.length).toBeGreaterThan(90)
  const words = text
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&#x27;', "'")
    .replaceAll('&quot;', '"')
  expect(meanings.filter((meaning) => !words.includes(meaning.replaceAll('`', '')))).toEqual([])
  const links = [...text.matchAll(/href="#value-(\w+)"/g)].map(([, name]) => name)
  expect(links).toContain('OrderStatus')
  expect(links.filter((name) => !text.includes(`id="value-${name}"`))).toEqual([])
})
