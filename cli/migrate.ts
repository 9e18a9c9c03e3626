/** `npm run migrate`: brings the database's schema up to date. Safe to repeat, and beside another that does the same. */
import { ConfigurationError, readConfig } from '../config.ts'
import { connectDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'

try {
  const sql = connectDatabase(readConfig(process.env).DATABASE_URL, { maxConnections: 1, name: 'ama-esim-migrate' })
  const applied = await migrate(sql)
  process.stdout.write(applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to apply.\n')
  await sql.end()
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
