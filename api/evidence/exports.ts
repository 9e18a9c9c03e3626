/**
 * G5, everybody can take their data along: figures which show that the export has a field for every column about the
 * person.
 */
import { z } from 'zod'
import { listed } from '../../db/evidence/schema.ts'
import type { Readings } from '../../policy/figures.ts'
import { personalData } from '../../policy/personal-data.ts'
import { accountExport } from '../export/account-export-schema.ts'

export function readExportFigures(columns: typeof personalData = personalData): Readings {
  const fields = new Set(pathsOf(z.toJSONSchema(accountExport) as JsonSchema))
  const left = Object.entries(columns).filter(
    ([, entry]) => entry.class === 'personal' && !(typeof entry.export === 'string' && fields.has(entry.export)),
  )
  return { unexported_columns: listed(left.map(([name]) => name)) }
}

export interface JsonSchema {
  properties?: Record<string, JsonSchema>
  items?: JsonSchema
  anyOf?: JsonSchema[]
}

/** The paths of a schema's fields, in the notation of policy/personal-data.ts: `orders[].esims[].iccid`. */
function pathsOf({ properties, items, anyOf }: JsonSchema, path = ''): string[] {
  if (properties) {
    return Object.entries(properties).flatMap(([name, part]) => pathsOf(part, path ? `${path}.${name}` : name))
  }
  if (items) return pathsOf(items, `${path}[]`)
  const inner = anyOf?.find((each) => each.properties ?? each.items)
  return inner ? pathsOf(inner, path) : [path]
}
