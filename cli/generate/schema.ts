/** `npm run schema`: writes the types of the database's rows anew, from a throwaway database after all migrations. */
import { writeFile } from 'node:fs/promises'
import { schemaTypes } from './schema-types.ts'

await writeFile(new URL('../../db/connection/schema.ts', import.meta.url), await schemaTypes())
process.stdout.write('db/connection/schema.ts is written\n')
