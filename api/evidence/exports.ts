/**
 * G5, everybody can take their data along: figures which show that the export has a field for every column about the
 * person.
 */
import { z } from 'zod'
import { listed } from '../../db/evidence/schema.ts'
import type { Readings } from '../../policy/figures.ts'
import { personalData } from '../../policy/personal-data.ts'
import { accountExport } from '../export/account-export-schema.ts'

/** The personal columns that the export of an account leaves out. */
export function readExportFigures(): Readings {
  const fields = new Set(pathsOf(jsonSchema.parse(z.toJSONSchema(accountExport))))
  const left = Object.entries(personalData).filter(
    ([, entry]) => entry.class === 'personal' && !(typeof entry.export === 'string' && fields.has(entry.export)),
  )
  return { unexported_columns: listed(left.map(([name]) => name)) }
}

/** The parts of a JSON Schema that lead to fields. */
const jsonSchema = z.object({
  get properties() {
    return z.record(z.string(), jsonSchema).optional()
  },
  get items() {
    return jsonSchema.optional()
  },
  get anyOf() {
    return z.array(jsonSchema).optional()
  },
})
type JsonSchema = z.output<typeof jsonSchema>

/** The paths of a schema's fields, in the notation of policy/personal-data.ts: `orders[].esims[].iccid`. */
function pathsOf({ properties, items, anyOf }: JsonSchema, path = ''): string[] {
  if (properties) {
    return Object.entries(properties).flatMap(([name, part]) => pathsOf(part, path ? `${path}.${name}` : name))
  }
  if (items) return pathsOf(items, `${path}[]`)
  const inner = anyOf?.find((each) => each.properties ?? each.items)
  return inner ? pathsOf(inner, path) : [path]
}
