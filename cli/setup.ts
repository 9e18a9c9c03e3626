/**
 * `npm run setup -- [--retention-days 7] [--operator-name <text> --operator-email <address>]`: prepares what API and
 * worker need: namespace, retention and search attributes in Temporal, the database's migrations, the schedules, and
 * the first operator. It can be repeated: what is there stays as it is.
 */
import { startOrExit } from '../config.ts'
import { type Context, createContext } from '../context.ts'
import { timeLimits } from '../db/connection/database.ts'
import { migrate } from '../db/connection/migrate.ts'
import { assertOwnKeys } from '../db/crypto/wrong-keys.ts'
import { listOperators, saveOperator } from '../db/operator/operators.ts'
import { recordSecurityEvent } from '../db/security-log.ts'
import { endWithUsage, readArguments } from '../shared/process/arguments.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { connectTemporal } from '../temporal/client.ts'
import { isRefusal, prepareNamespace } from '../temporal/namespace.ts'
import { defaultRetentionDays } from '../temporal/readiness.ts'
import { ownsSchedules } from '../worker/deployment.ts'
import { reconcileSchedules } from '../worker/schedules.ts'
import { whyAway } from './run-command.ts'
import { readConfigBeside } from './running-stack.ts'

const usage = 'Usage: npm run setup [-- --retention-days 1..90] [--operator-name <text> --operator-email <address>]'

const { values } = readArguments(usage, {
  'retention-days': { type: 'string', default: String(defaultRetentionDays) },
  'operator-name': { type: 'string' },
  'operator-email': { type: 'string' },
})
const retentionDays = Number(values['retention-days'])
const { 'operator-name': name, 'operator-email': email } = values
if (!(Number.isInteger(retentionDays) && retentionDays >= 1 && retentionDays <= 90))
  endWithUsage(usage, '--retention-days takes a number of days from 1 to 90.')
if ((name === undefined) !== (email === undefined))
  endWithUsage(usage, 'An operator needs both --operator-name and --operator-email.')
if (email !== undefined && !email.includes('@')) endWithUsage(usage, '--operator-email takes a mail address.')

const { config, temporal: temporalSettings } = await readConfigBeside(process.env)
const context = createContext(config, { name: 'ama-esim-setup', maxConnections: 2, limits: timeLimits.maintenance })
const temporal = await startOrExit(() => connectTemporal(config, temporalSettings))
const failed: string[] = []

await step('database', prepareDatabase)
await step('Temporal', async () => {
  const changes = await prepareNamespace(temporal, retentionDays)
  return changes.length > 0 ? changes.join('; ') : 'has everything already'
})
await step('schedules', async () => {
  if (!(await ownsSchedules(temporal, config))) return 'are left to the current build, which is another one'
  await reconcileSchedules(temporal, config.TEMPORAL_TASK_QUEUE)
  return 'are there'
})
await step('operator', () => prepareOperator(context))
await temporal.connection.close()
await context.close()
if (failed.length > 0) console.error(`Failed: ${failed.join(', ')}. Repeat the command after mending it.`)
process.exit(failed.length > 0 ? 1 : 0)

/** A step that fails does not keep the others from being tried. */
async function step(what: string, work: () => Promise<string>): Promise<void> {
  try {
    console.log(`${what}: ${await work()}`)
  } catch (error) {
    failed.push(what)
    console.error(`${what}: ${whyAway(error) ?? messageOf(error)}`)
    if (isRefusal(error))
      console.error('  Only its own programs may do this there. Temporal Cloud: see docs/deploying.md.')
  }
}

async function prepareDatabase(): Promise<string> {
  const applied = await migrate(context.config.DATABASE_URL)
  return applied.length > 0 ? `applied ${applied.length} migrations` : 'has every migration already'
}

async function prepareOperator(context: Context): Promise<string> {
  await assertOwnKeys(context)
  const active = (await listOperators(context)).filter(({ disabledAt }) => disabledAt === null)
  if (active.length > 0) return `${active.length} can sign in already`
  if (name === undefined || email === undefined)
    return 'nobody can sign in on the console yet: repeat with --operator-name and --operator-email'
  const at = new Date()
  const { id, password, uri } = await saveOperator(context, { name, email, role: 'admin', at })
  const detail = `${id} admin`
  await recordSecurityEvent(context.sql, context, { kind: 'operator_saved', actor: 'command line', detail, at })
  return `saved ${id} as admin. This is the only time that these are shown.\n  password: ${password}\n  authenticator: ${uri}`
}
