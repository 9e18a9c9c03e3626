/** A change of the API breaks no program that was made from the last released document. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { breakingChanges, type ComparedDocument } from './client-compatibility.ts'

const read = async (name: string): Promise<ComparedDocument> =>
  JSON.parse(await readFile(new URL(`../../client/${name}`, import.meta.url), 'utf8'))

type Operation = NonNullable<ComparedDocument['paths']>[string][string]
type Schema = NonNullable<NonNullable<ComparedDocument['components']>['schemas']>[string]

const order = {
  type: 'object',
  required: ['id', 'status'],
  properties: { id: { type: 'string' }, status: { $ref: '#/components/schemas/Status' }, note: { type: 'string' } },
}
interface Change {
  order?: Schema
  parameters?: NonNullable<Operation['parameters']>
  body?: Schema
  path?: string
}

const made = (change: Change = {}): ComparedDocument => ({
  paths: {
    [change.path ?? '/v1/orders']: {
      post: {
        parameters: change.parameters ?? [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
        requestBody: {
          content: { 'application/json': { schema: change.body ?? { type: 'object', properties: {} } } },
        },
        responses: { 200: { content: { 'application/json': { schema: { ...order, ...change.order } } } } },
      },
    },
  },
  components: { schemas: { Status: { type: 'string', enum: ['paid', 'sent'] } } },
})

const place = 'POST /v1/orders'
const { id, status, note } = order.properties

test('the document breaks no program made from the last released one (client/released.json)', async () => {
  expect(breakingChanges(await read('released.json'), await read('openapi.json'))).toEqual([])
})

test.each<[string, Parameters<typeof made>[0], string[]]>([
  ['nothing', {}, []],
  ['a new field of an answer', { order: { properties: { ...order.properties, more: { type: 'string' } } } }, []],
  [
    'a new optional parameter',
    {
      parameters: [
        { name: 'limit', in: 'query', schema: { type: 'integer' } },
        { name: 'sort', in: 'query' },
      ],
    },
    [],
  ],
  ['a path that is gone', { path: '/v1/other' }, [`${place} is gone`]],
  ['a parameter that is gone', { parameters: [] }, [`${place}: parameter query limit is gone`]],
  [
    'a new required parameter',
    {
      parameters: [
        { name: 'limit', in: 'query', schema: { type: 'integer' } },
        { name: 'key', in: 'header', required: true },
      ],
    },
    [`${place}: parameter header key is new and required`],
  ],
  [
    'a parameter of another type',
    { parameters: [{ name: 'limit', in: 'query', schema: { type: 'string' } }] },
    [`${place}: parameter query limit: its type was integer, is string`],
  ],
  [
    'an integer that says its 64 bits',
    { parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', format: 'int64' } }] },
    [],
  ],
  [
    'an integer of 32 bits',
    { parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', format: 'int32' } }] },
    [`${place}: parameter query limit: its format was undefined, is int32`],
  ],
  [
    'a new required field of a body',
    { body: { type: 'object', properties: { code: { type: 'string' } }, required: ['code'] } },
    [`${place}: body: field code is required now`],
  ],
  ['a field that is gone', { order: { properties: { id, status } } }, [`${place}: answer 200: field note is gone`]],
  [
    'a field that can be missing',
    { order: { required: ['id'] } },
    [`${place}: answer 200: field status can be missing now`],
  ],
  [
    'a field that can be null',
    { order: { properties: { id: { type: ['string', 'null'] }, status, note } } },
    [`${place}: answer 200.id: its type was string, is string|null`],
  ],
  [
    'a value that is gone',
    { order: { properties: { id, note, status: { type: 'string', enum: ['paid'] } } } },
    [`${place}: answer 200.status: value sent is gone`],
  ],
])('a change by %s has its breaking parts reported', (_name, change, faults) => {
  expect(breakingChanges(made(), made(change))).toEqual(faults)
})
