import type { OpenApiDocument } from '../../http/openapi.ts'
import { WideTable } from '../form.tsx'

/** The parts of JSON Schema that our documents use. */
interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  enum?: unknown[]
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  default?: unknown
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  'x-enum-descriptions'?: string[]
}

interface Field {
  name: string
  schema: Schema
  required: boolean
  /** the named enumeration whose values /docs lists with their meanings */
  enumeration?: string | undefined
}

/** A table with one row for each field. Nested fields have a path: `apple.nonce`, `items[].code`. */
export function SchemaTable({ label = 'Fields', schema, document }: SchemaTableProps) {
  return <FieldTable label={label} fields={fieldsOf('', schema as Schema, document)} />
}

interface SchemaTableProps {
  /** what the table lists */
  label?: string
  schema: unknown
  document: OpenApiDocument
}

/** The schema of the first media type: that is the one of the success, the problems' type comes second. */
export const schemaOf = (described: unknown): unknown =>
  Object.values((described as { content: Record<string, { schema: unknown }> }).content)[0]?.schema

/** A table of an operation's path, query and header parameters. */
export function ParameterTable({
  label = 'Parameters',
  parameters,
}: {
  label?: string
  parameters: readonly unknown[]
}) {
  const fields = (parameters as { name: string; in: string; required?: boolean; schema: Schema }[]).map(
    (parameter): Field => ({
      name: `${parameter.name} (${parameter.in})`,
      schema: parameter.schema,
      required: parameter.required === true,
    }),
  )
  return <FieldTable label={label} fields={fields} />
}

function FieldTable({ label, fields }: { label: string; fields: Field[] }) {
  if (fields.length === 0) return null
  return (
    <WideTable label={label} heads={['Field', 'Values', 'Meaning']}>
      {fields.map(({ name, schema, required, enumeration }) => (
        <tr key={name}>
          <td>
            <code>{name}</code>
            {required && <strong title="required"> *</strong>}
          </td>
          <td className="quiet">{constraintsOf(schema)}</td>
          <td>
            {schema.description} {enumeration && <a href={`#value-${enumeration}`}>Meanings</a>}
          </td>
        </tr>
      ))}
    </WideTable>
  )
}

function fieldsOf(prefix: string, given: Schema, document: OpenApiDocument): Field[] {
  const schema = resolved(given, document)
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const name = `${prefix}${key}`
    const own = resolved(child, document)
    const field: Field = {
      name,
      schema: own,
      required: schema.required?.includes(key) ?? false,
      enumeration: own['x-enum-descriptions'] && nameOf(referenceIn(child)),
    }
    const inside = own.items
      ? fieldsOf(`${name}[].`, own.items, document)
      : own.properties && fieldsOf(`${name}.`, own, document)
    return [field, ...(inside ?? [])]
  })
}

function resolved(schema: Schema, document: OpenApiDocument): Schema {
  const reference = referenceIn(schema)
  if (reference === undefined) return schema
  const target = (document.components?.schemas?.[nameOf(reference) ?? ''] ?? {}) as Schema
  return schema.$ref === undefined ? { ...target, type: [target.type ?? [], 'null'].flat() } : target
}

/** The schema that a schema names, also beside null. */
const referenceIn = ({ $ref, anyOf }: Schema): string | undefined =>
  $ref ?? (anyOf?.length === 2 && anyOf[1]?.type === 'null' ? anyOf[0]?.$ref : undefined)

const nameOf = (reference: string | undefined): string | undefined => reference?.split('/').at(-1)

function constraintsOf(schema: Schema): string {
  const { type, format, minimum, maximum, minLength, maxLength, pattern } = schema
  const range = (low: number | undefined, high: number | undefined, of: string): string[] => {
    if (low === undefined) return high === undefined ? [] : [`up to ${high}${of}`]
    return [high === undefined ? `at least ${low}${of}` : `${low} to ${high}${of}`]
  }
  return [
    [type ?? []].flat().join(' or '),
    ...(schema.enum ? [schema.enum.map((value) => JSON.stringify(value)).join(' | ')] : []),
    ...(format ? [format] : []),
    ...range(minimum, maximum, ''),
    ...range(minLength, maxLength, ' characters'),
    ...(pattern ? [pattern] : []),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ].join(', ')
}
