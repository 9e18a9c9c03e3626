/** `npm run migrate`: updates the database's schema. It can be repeated, and run in several processes at once. */
import { readConfigOrExit } from '../config.ts'
import { migrate } from '../db/connection/migrate.ts'

const { DATABASE_URL } = readConfigOrExit(process.env)
const applied = await migrate(DATABASE_URL)
process.stdout.write(applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to apply.\n')
