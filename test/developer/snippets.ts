/** Reads the programs of docs/quickstart.md in Kotlin and Swift, as far as they name parts of the OpenAPI document. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

interface Schema {
  $ref?: string | undefined
  type?: string | string[] | undefined
  enum?: unknown[] | undefined
  properties?: Readonly<Record<string, Schema>> | undefined
  required?: string[] | undefined
  items?: Schema | undefined
  anyOf?: Schema[] | undefined
}

const schema: z.ZodType<Schema> = z.lazy(() =>
  z.looseObject({
    $ref: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    enum: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), schema).optional(),
    required: z.array(z.string()).optional(),
    items: schema.optional(),
    anyOf: z.array(schema).optional(),
  }),
)
const operation = z.looseObject({
  operationId: z.string(),
  parameters: z.array(z.looseObject({ name: z.string(), schema: schema.optional() })).default([]),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: schema.optional() })) })
    .optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ content: z.record(z.string(), z.looseObject({ schema })).optional() }),
  ),
})
const documentForm = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.object({ schemas: z.record(z.string(), schema) }),
})
export type Described = z.infer<typeof documentForm>

export const readDocument = async (): Promise<Described> =>
  documentForm.parse(JSON.parse(await readFile(new URL('../../client/openapi.json', import.meta.url), 'utf8')))

/** Each code block of a language in a page of this project. */
export async function snippetsOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')
}

const camel = (name: string): string =>
  name
    .replaceAll(/[-_]+(\w)/g, (_all, letter: string) => letter.toUpperCase())
    .replace(/^\w/, (first) => first.toLowerCase())

/** A call, and the names of its arguments. */
interface Call {
  name: string
  names: string[]
}

/** Calls of what begins with these words, also within each other. */
function callsIn(code: string, start: RegExp): Call[] {
  return [...code.matchAll(start)].map((match) => {
    const [all, name = ''] = match
    return { name, names: namesIn(code.slice(match.index + all.length)) }
  })
}

/** The names of arguments up to the bracket that closes the call: `name = ` or `name: `. */
function namesIn(rest: string): string[] {
  let depth = 0
  let own = ''
  for (const sign of rest.replaceAll(/"(?:[^"\\]|\\.)*"|\/\/.*/g, '')) {
    if ('([{'.includes(sign)) depth += 1
    else if (')]}'.includes(sign)) {
      if (depth === 0) break
      depth -= 1
    } else if (depth === 0) own += sign
  }
  return [...own.matchAll(/(?:^|,)\s*(\w+)(?: =|:) /g)].map(([, name = '']) => name)
}

/** Functions of Kotlin itself, called as operations are. */
const ofKotlin = ['getOrNull']

/** @returns what the programs name that the document has not, or leave out that it asks for */
export function faultsOf(code: string, document: Described): string[] {
  const { schemas } = document.components
  const operations = new Map(
    Object.values(document.paths).flatMap((methods) => Object.values(methods).map((each) => [each.operationId, each])),
  )
  const target = (of: Schema | undefined): Schema => {
    const named = of?.$ref ?? of?.anyOf?.find(({ $ref }) => $ref !== undefined)?.$ref
    return (named === undefined ? of : schemas[named.split('/').at(-1) ?? '']) ?? {}
  }

  /** A component, or a part of one that has no name: `NewOrderExpectedAmount` is `expectedAmount` of `NewOrder`. */
  function modelOf(name: string): Schema | undefined {
    if (schemas[name]) return schemas[name]
    const owner = Object.keys(schemas).find((each) => name.startsWith(each) && schemas[each]?.properties)
    return owner === undefined ? undefined : schemas[owner]?.properties?.[camel(name.slice(owner.length))]
  }

  const faults: string[] = []
  for (const { name, names } of callsIn(code, /\b(New\w+)\(/g)) {
    const model = modelOf(name)
    if (!model) faults.push(`there is no ${name}`)
    const { properties = {}, required = [] } = target(model)
    faults.push(...names.filter((each) => !(each in properties)).map((each) => `${name} has no ${each}`))
    faults.push(...required.filter((each) => !names.includes(each)).map((each) => `${name} lacks ${each}`))
  }
  for (const { name, names } of callsIn(code, /\b((?:get|post|put|patch|delete)[A-Z]\w*)\(/g)) {
    const asked = operations.get(name)
    if (ofKotlin.includes(name)) continue
    if (!asked) {
      faults.push(`there is no operation ${name}`)
      continue
    }
    const body = Object.values(asked.requestBody?.content ?? {}).map(
      ({ schema: of }) => of?.$ref?.split('/').at(-1) ?? '',
    )
    const known = [...asked.parameters.map((each) => each.name), ...body].map(camel)
    const ours = names.filter((each) => each !== 'apiConfiguration')
    faults.push(...ours.filter((each) => !known.includes(each)).map((each) => `${name} takes no ${each}`))
  }
  // Values of enumerations: as they are in Kotlin, in one word in Swift.
  for (const [, name = '', value = ''] of code.matchAll(/\b(OrderStatus)\.(\w+)/g)) {
    const values = (schemas[name]?.enum ?? []).map(String)
    if (!values.some((each) => each === value || camel(each) === value)) faults.push(`${name} has no ${value}`)
  }
  const reads: Readonly<Record<string, Schema>> = {
    order: schemas.Order ?? {},
    payment: schemas.Order?.properties?.payment ?? {},
    cheapest: schemas.Package ?? {},
    problem: schemas.Problem ?? {},
  }
  for (const [, name = '', path = ''] of code.matchAll(/\b(order|payment|cheapest|problem)((?:\??\.\w+)+)(?!\w*\()/g)) {
    let at: Schema | undefined = reads[name]
    for (const field of path.split(/\??\./).slice(1)) {
      const { properties, items } = target(at)
      if (properties && !(field in properties)) faults.push(`${name}${path}: there is no ${field}`)
      at = properties?.[field] ?? (items && ['first', 'firstOrNull'].includes(field) ? items : undefined)
    }
  }
  return faults
}
