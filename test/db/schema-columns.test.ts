/** The row types follow the migrations, without the generator, which takes longer: test/db/schema.long.test.ts. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'

const { sql } = (await shareStack()).context

/** The fields of each row type as `name` or `name?`, the latter if they can be null, in the order of the file. */
async function fieldsOfTypes(): Promise<Map<string, string[]>> {
  const text = await readFile(new URL('../../db/connection/schema.ts', import.meta.url), 'utf8')
  const types = [...text.matchAll(/^export interface (\w+) \{\n([\s\S]*?)\n\}$/gm)]
  return new Map(
    types.map(([, name = '', body = '']) => {
      const table = name.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()
      const fields = [...body.matchAll(/^ {2}(\w+):(.*(?:\n {4}.*)*)/gm)]
      return [table, fields.map(([, field = '', type = '']) => (/\bnull\b/.test(type) ? `${field}?` : field))]
    }),
  )
}

test('each column of the migrated database is in the row types, with its null (if not, run `npm run schema`)', async () => {
  const columns = await sql<{ table: string; kind: string; column: string; required: boolean }[]>`
    select c.relname as table, c.relkind::text as kind, a.attname as column, a.attnotnull as required
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
      and c.relname <> 'migrations' and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`
  const types = await fieldsOfTypes()
  types.delete('sealed_columns')
  // PostgreSQL does not say which column of a view can be null.
  const views = new Set(columns.filter(({ kind }) => kind === 'v').map(({ table }) => table))
  const tables = [...new Set(columns.map(({ table }) => table))]
  expect(tables.length).toBeGreaterThan(50)
  const written = [...types].map(([table, fields]) => [
    table,
    views.has(table) ? fields.map((field) => field.replace('?', '')).sort() : fields.toSorted(),
  ])
  const expected = tables.map((table) => [
    table,
    columns
      .filter((column) => column.table === table)
      .map(({ column, required }) => (required || views.has(table) ? column : `${column}?`))
      .sort(),
  ])
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(expected))
})
