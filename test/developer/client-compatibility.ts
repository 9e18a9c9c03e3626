/** Finds changes of the OpenAPI document that break programs made from the document before. */

interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  allOf?: Schema[]
  oneOf?: Schema[]
}

interface Parameter {
  name: string
  in: string
  required?: boolean
  schema?: Schema
}

type Content = Record<string, { schema?: Schema }>

interface Operation {
  parameters?: Parameter[]
  requestBody?: { required?: boolean; content?: Content }
  responses?: Record<string, { content?: Content }>
}

export interface ComparedDocument {
  paths?: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

/** `sent`: by programs to us, where nothing may become stricter; `answered`: to them, where nothing may go missing. */
type Direction = 'sent' | 'answered'

/** Each change that breaks a program, with its place. New optional input and new output break none. */
export function breakingChanges(before: ComparedDocument, after: ComparedDocument): string[] {
  const faults: string[] = []
  for (const [path, methods] of Object.entries(before.paths ?? {}))
    for (const [method, operation] of Object.entries(methods)) {
      const place = `${method.toUpperCase()} ${path}`
      const now = after.paths?.[path]?.[method]
      if (now) compareOperation(operation, now, place)
      else faults.push(`${place} is gone`)
    }
  return [...new Set(faults)]

  function compareOperation(old: Operation, now: Operation, place: string): void {
    const key = ({ name, in: where }: Parameter): string => `${where} ${name}`
    const known = new Map((old.parameters ?? []).map((each) => [key(each), each]))
    const kept = new Map((now.parameters ?? []).map((each) => [key(each), each]))
    for (const [name, parameter] of known) {
      const successor = kept.get(name)
      if (!successor) faults.push(`${place}: parameter ${name} is gone`)
      else {
        if (successor.required && !parameter.required) faults.push(`${place}: parameter ${name} is required now`)
        compare(parameter.schema, successor.schema, 'sent', `${place}: parameter ${name}`, [])
      }
    }
    for (const [name, { required }] of kept)
      if (required && !known.has(name)) faults.push(`${place}: parameter ${name} is new and required`)

    if (now.requestBody?.required && !old.requestBody?.required) faults.push(`${place}: a body is required now`)
    compareContent(old.requestBody?.content, now.requestBody?.content, 'sent', `${place}: body`)
    for (const [status, response] of Object.entries(old.responses ?? {})) {
      if (!status.startsWith('2')) continue
      const successor = now.responses?.[status]
      if (!successor) faults.push(`${place}: answer ${status} is gone`)
      else compareContent(response.content, successor.content, 'answered', `${place}: answer ${status}`)
    }
  }

  function compareContent(old: Content = {}, now: Content = {}, direction: Direction, place: string): void {
    for (const [mediaType, { schema }] of Object.entries(old)) {
      if (now[mediaType]) compare(schema, now[mediaType].schema, direction, place, [])
      else faults.push(`${place}: ${mediaType} is gone`)
    }
  }

  function compare(
    given: Schema | undefined,
    successor: Schema | undefined,
    direction: Direction,
    place: string,
    seen: readonly string[],
  ): void {
    if (!given || !successor) return
    // A schema that holds itself is compared once.
    if (given.$ref !== undefined && seen.includes(given.$ref)) return
    const path = given.$ref === undefined ? seen : [...seen, given.$ref]
    const old = flat(given, before)
    const now = flat(successor, after)
    const narrowed = direction === 'sent' ? missing(old.types, now.types) : missing(now.types, old.types)
    if (narrowed.length > 0) faults.push(`${place}: its type was ${old.types.join('|')}, is ${now.types.join('|')}`)
    if (old.format !== now.format) faults.push(`${place}: its format was ${old.format}, is ${now.format}`)
    if (old.enum && now.enum)
      for (const value of missing(old.enum, now.enum)) faults.push(`${place}: value ${String(value)} is gone`)
    if (direction === 'sent' && now.enum && !old.enum) faults.push(`${place}: only some values are accepted now`)
    for (const [name, property] of Object.entries(old.properties)) {
      const kept = now.properties[name]
      if (!kept) faults.push(`${place}: field ${name} is gone`)
      else compare(property, kept, direction, `${place}.${name}`, path)
    }
    const required = direction === 'sent' ? missing(now.required, old.required) : missing(old.required, now.required)
    for (const name of required) {
      if (direction === 'sent') faults.push(`${place}: field ${name} is required now`)
      else if (now.properties[name]) faults.push(`${place}: field ${name} can be missing now`)
    }
    if (old.items) compare(old.items, now.items, direction, `${place}[]`, path)
  }
}

interface Flat {
  types: string[]
  format: string | undefined
  enum: unknown[] | undefined
  properties: Record<string, Schema>
  required: string[]
  items: Schema | undefined
}

/** A schema with its reference and its parts put together: of alternatives each field of any. */
function flat(schema: Schema, document: ComparedDocument): Flat {
  const target = schema.$ref === undefined ? schema : (document.components?.schemas?.[nameOf(schema.$ref)] ?? {})
  const own: Flat = {
    types: [target.type ?? []].flat(),
    // Each integer is one of 64 bits (test/developer/integers.test.ts), whether it says so or not.
    format: target.format === 'int64' ? undefined : target.format,
    // Whether null is among the values is said by the type.
    enum: target.enum?.filter((value) => value !== null),
    properties: target.properties ?? {},
    required: target.required ?? [],
    items: target.items,
  }
  return [...(target.allOf ?? []), ...(target.anyOf ?? []), ...(target.oneOf ?? [])]
    .map((part) => flat(part, document))
    .reduce(
      (whole, part) => ({
        types: [...new Set([...whole.types, ...part.types])],
        format: whole.format ?? part.format,
        enum: whole.enum ?? part.enum,
        properties: { ...part.properties, ...whole.properties },
        required: [...new Set([...whole.required, ...(target.allOf ? part.required : [])])],
        items: whole.items ?? part.items,
      }),
      own,
    )
}

const nameOf = (reference: string): string => reference.split('/').at(-1) ?? ''

const missing = <Value>(wanted: readonly Value[], present: readonly Value[]): Value[] =>
  wanted.filter((value) => !present.includes(value))
