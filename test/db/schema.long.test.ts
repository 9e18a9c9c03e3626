import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { schemaTypes } from '../../cli/generate/schema-types.ts'

test('db/connection/schema.ts has the row types of the migrated database (if not, run `npm run schema`)', async () => {
  const committed = await readFile(new URL('../../db/connection/schema.ts', import.meta.url), 'utf8')
  expect(committed).toBe(await schemaTypes())
})
