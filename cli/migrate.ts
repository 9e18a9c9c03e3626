/** `npm run migrate`: updates the database's schema. It can be repeated, and run in several processes at once. */
import { migrate } from '../db/connection/migrate.ts'
import { readArguments } from '../shared/process/arguments.ts'
import { runCommand } from './run-command.ts'
import { readConfigBeside } from './running-stack.ts'

readArguments('Usage: npm run migrate', {})
const work = async (): Promise<number> => {
  const { config } = await readConfigBeside(process.env)
  const applied = await migrate(config.DATABASE_URL)
  process.stdout.write(applied.length > 0 ? `Applied: ${applied.join(', ')}\n` : 'Nothing to apply.\n')
  return 0
}
await runCommand(work, { migrates: true })
