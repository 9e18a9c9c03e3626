/** `npm run migrate`: updates the database's schema. It can be repeated, and run in several processes at once. */
import { readConfigOrExit } from '../config.ts'
import { connectDatabase, timeLimits } from '../db/connection/database.ts'
import { migrate } from '../db/connection/migrate.ts'

const { DATABASE_URL } = readConfigOrExit(process.env)
const sql = connectDatabase(DATABASE_URL, {
  maxConnections: 1,
  name: 'ama-esim-migrate',
  limits: timeLimits.maintenance,
})
const applied = await migrate(sql)
process.stdout.write(applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to apply.\n')
await sql.end()
