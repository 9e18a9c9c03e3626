import { z } from 'zod'
import type { OpenApiDocument } from '../../http/openapi.ts'
import { WideTable } from '../form.tsx'
import { CodeText } from './code-text.tsx'

/** The parts of JSON Schema that our documents use. */
const schemaForm = z.object({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  get properties() {
    return z.record(z.string(), schemaForm).optional()
  },
  required: z.array(z.string()).optional(),
  get items() {
    return schemaForm.optional()
  },
  get anyOf() {
    return z.array(schemaForm).optional()
  },
  'x-enum-descriptions': z.array(z.string()).optional(),
})
type Schema = z.output<typeof schemaForm>

const mediaTypes = z.object({ content: z.record(z.string(), z.object({ schema: z.unknown() })) })
const parameterForms = z.array(
  z.object({ name: z.string(), in: z.string(), required: z.boolean().optional(), schema: schemaForm }),
)

interface Field {
  name: string
  schema: Schema
  required: boolean
  /** the named enumeration whose values /docs lists with their meanings */
  enumeration?: string | undefined
}

/** A table with one row for each field. Nested fields have a path: `apple.nonce`, `items[].code`. */
export function SchemaTable({ label = 'Fields', schema, document }: SchemaTableProps) {
  return <FieldTable label={label} fields={fieldsOf('', schemaForm.parse(schema), document)} />
}

interface SchemaTableProps {
  /** what the table lists */
  label?: string
  schema: unknown
  document: OpenApiDocument
}

/** The schema of the first media type: that is the one of the success, the problems' type comes second. */
export const schemaOf = (described: unknown): unknown => Object.values(mediaTypes.parse(described).content)[0]?.schema

/** A table of an operation's path, query and header parameters. */
export function ParameterTable({
  label = 'Parameters',
  parameters,
}: {
  label?: string
  parameters: readonly unknown[]
}) {
  const fields = parameterForms.parse(parameters).map(
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
            <CodeText text={schema.description ?? ''} /> {enumeration && <a href={`#value-${enumeration}`}>Meanings</a>}
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
  const target = schemaForm.parse(document.components?.schemas?.[nameOf(reference) ?? ''] ?? {})
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
    ...(format && format !== 'int64' ? [format] : []),
    ...range(minimum, maximum, ''),
    ...range(minLength, maxLength, ' characters'),
    ...(pattern ? [pattern] : []),
    ...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
  ].join(', ')
}
