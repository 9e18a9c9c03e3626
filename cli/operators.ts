/**
 * `npm run operators -- save --name <text> --email <address> --role support|finance|privacy|admin`, `-- list`,
 * `-- disable <id>`: manages the persons who work on the console. Password and authenticator are shown once; to save an
 * operator again gives them new ones. Beside `npm start` it uses the settings of that stack.
 */
import { parseArgs } from 'node:util'
import { toString as drawQr } from 'qrcode'
import { type Context, createContext } from '../context.ts'
import { disableOperator, listOperators, saveOperator } from '../db/operator/operators.ts'
import { recordSecurityEvent } from '../db/security-log.ts'
import { type OperatorRole, operatorRoles } from '../policy/operators/operator-roles.ts'
import { readConfigBeside } from './running-stack.ts'

const usage = `Usage:
  npm run operators -- save --name <text> --email <address> --role ${operatorRoles.join('|')}
  npm run operators -- list
  npm run operators -- disable <id>`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string' }, email: { type: 'string' }, role: { type: 'string' } },
})
const [command, argument] = positionals
const { config } = await readConfigBeside(process.env)
const context = createContext(config, { name: 'ama-esim-operators', maxConnections: 2 })
try {
  process.exitCode = await run(context)
} finally {
  await context.close()
}

/** @returns the exit code */
async function run(context: Context): Promise<number> {
  const at = new Date()
  const { name, email, role } = values
  if (command === 'save' && name && name.length <= 100 && email?.includes('@') && isRole(role)) {
    const { id, password, uri } = await saveOperator(context, { name, email, role, at })
    await record('operator_saved', `${id} ${role}`)
    console.log(`password: ${password}`)
    console.log(`authenticator: ${uri}`)
    console.log(await drawQr(uri, { type: 'terminal', small: true }))
    console.error(`Saved operator ${id}. This is the only time that the password and the authenticator are shown.`)
    return 0
  }
  if (command === 'list') {
    for (const each of await listOperators(context)) {
      const state = each.disabledAt ? `disabled ${each.disabledAt.toISOString()}` : 'active'
      console.log(
        [each.id, each.role, each.createdAt.toISOString(), state, each.name, each.email ?? '', each.signsInBy].join(
          '\t',
        ),
      )
    }
    return 0
  }
  if (command === 'disable' && argument) {
    if (!(await disableOperator(context, argument, at))) {
      console.error('There is no such active operator.')
      return 1
    }
    await record('operator_disabled', argument)
    console.error(`Disabled ${argument}. Their sessions have ended.`)
    return 0
  }
  console.error(usage)
  return 2

  async function record(kind: 'operator_saved' | 'operator_disabled', detail: string): Promise<void> {
    await recordSecurityEvent(context.sql, context, { kind, actor: 'command line', detail, at })
  }
}

function isRole(text: string | undefined): text is OperatorRole {
  return operatorRoles.some((role) => role === text)
}
