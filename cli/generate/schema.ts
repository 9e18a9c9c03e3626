/** `npm run schema`: writes the types of the database's rows anew, from a throwaway database after all migrations. */
import { writeFile } from 'node:fs/promises'
import { readArguments } from '../../shared/process/arguments.ts'
import { schemaTypes } from './schema-types.ts'

readArguments('Usage: npm run schema', {})
await writeFile(new URL('../../db/connection/schema.ts', import.meta.url), await schemaTypes())
process.stdout.write('db/connection/schema.ts is written\n')
