/**
 * `npm run operators -- save --name <text> --email <address> --role support|finance|privacy|admin`, `-- list`,
 * `-- disable <id>`: manages the persons who work on the console. Password and authenticator are shown once; to save an
 * operator again gives them new ones. Beside `npm start` it uses the settings of that stack.
 */
import { toString as drawQr } from 'qrcode'
import type { Context } from '../context.ts'
import { disableOperator, listOperators, saveOperator } from '../db/operator/operators.ts'
import { recordSecurityEvent } from '../db/security-log.ts'
import { type OperatorRole, operatorRoles } from '../policy/operators/operator-roles.ts'
import { endWithUsage, missingOf, readArguments } from '../shared/process/arguments.ts'
import { runWithContext } from './run-with-context.ts'
import { printable } from './terminal-lines.ts'

const usage = `Usage: npm run operators -- <command>
  npm run operators -- save --name <text> --email <address> --role ${operatorRoles.join('|')}
  npm run operators -- list
  npm run operators -- disable <id>`

const { positionals, values } = readArguments(
  usage,
  { name: { type: 'string' }, email: { type: 'string' }, role: { type: 'string' } },
  { words: true },
)
const [command, argument = ''] = positionals
const longestName = 100

await runWithContext('ama-esim-operators', 2, workOf())

/**
 * @returns the work of the command, which resolves to the exit code. A wrong command ends the process before it opens
 * anything
 */
function workOf(): (context: Context) => Promise<number> {
  if (command === 'list') return list
  if (command === 'disable') return argument ? disable : endWithUsage(usage, 'Which operator? The id is missing.')
  if (command !== 'save')
    return endWithUsage(usage, command === undefined ? 'A command is missing.' : `There is no command ${command}.`)
  const { name = '', email = '', role } = values
  const missing = missingOf({ name, email, role })
  if (missing !== undefined) return endWithUsage(usage, missing)
  if (name.length > longestName) return endWithUsage(usage, `--name takes up to ${longestName} characters.`)
  if (!email.includes('@')) return endWithUsage(usage, '--email takes a mail address.')
  if (!isRole(role)) return endWithUsage(usage, `There is no role ${role}.`)
  return (context) => save(context, { name, email, role })
}

async function save(context: Context, operator: { name: string; email: string; role: OperatorRole }): Promise<number> {
  const at = new Date()
  const { id, password, uri } = await saveOperator(context, { ...operator, at })
  await record(context, 'operator_saved', `${id} ${operator.role}`, at)
  console.log(`password: ${password}`)
  console.log(`authenticator: ${uri}`)
  console.log(await drawQr(uri, { type: 'terminal', small: true }))
  console.error(`Saved operator ${id}. This is the only time that the password and the authenticator are shown.`)
  return 0
}

async function list(context: Context): Promise<number> {
  for (const each of await listOperators(context)) {
    const state = each.disabledAt ? `disabled ${each.disabledAt.toISOString()}` : 'active'
    const { id, role, createdAt, name, email, signsInBy } = each
    const parts = [id, role, createdAt.toISOString(), state, name, email ?? '', signsInBy]
    console.log(parts.map(printable).join('\t'))
  }
  return 0
}

async function disable(context: Context): Promise<number> {
  const at = new Date()
  if (!(await disableOperator(context, argument, at))) {
    console.error('There is no such active operator.')
    return 1
  }
  await record(context, 'operator_disabled', argument, at)
  console.error(`Disabled ${argument}. Their sessions have ended.`)
  return 0
}

async function record(
  context: Context,
  kind: 'operator_saved' | 'operator_disabled',
  detail: string,
  at: Date,
): Promise<void> {
  await recordSecurityEvent(context.sql, context, { kind, actor: 'command line', detail, at })
}

function isRole(text: string | undefined): text is OperatorRole {
  return operatorRoles.some((role) => role === text)
}
