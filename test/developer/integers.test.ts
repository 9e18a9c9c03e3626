/** A generated program reads each number that we send: a package of 2 GB has more bytes than 32 bits can hold. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'

const documentText = await readFile(new URL('../../client/openapi.json', import.meta.url), 'utf8')
const schema = z.looseObject({ type: z.union([z.string(), z.array(z.string())]), format: z.string().optional() })

/** Each integer of a document, by its place, with its format. */
function integersOf(json: string): [string, string | undefined][] {
  const found: [string, string | undefined][] = []
  const read = (node: unknown, place: string): void => {
    if (typeof node !== 'object' || node === null) return
    const { data } = schema.safeParse(node)
    if (data && [data.type].flat().includes('integer')) found.push([place, data.format])
    for (const [name, child] of Object.entries(node)) read(child, `${place}/${name}`)
  }
  read(JSON.parse(json), '')
  return found
}

test('each integer of the document has 64 bits in generated programs', () => {
  const integers = integersOf(documentText)
  expect(integers.length).toBeGreaterThan(300)
  expect(integers.map(([place]) => place)).toContain('/components/schemas/Package/properties/dataBytes')
  expect(integers.filter(([, format]) => format !== 'int64')).toEqual([])
})

test('an integer without a width is found, also where it may be null', () => {
  const planted = { a: { type: 'integer' }, b: [{ type: ['integer', 'null'], format: 'int32' }], type: 'x' }
  expect(integersOf(JSON.stringify(planted))).toEqual([
    ['/a', undefined],
    ['/b/0', 'int32'],
  ])
})
