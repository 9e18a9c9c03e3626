/**
 * `npm run keys -- create service|operator --label <text> [--scopes <scope,scope>]`, `npm run keys -- list`, `npm run
 * keys -- revoke <id>`: manages the service and operator keys of the API. A key is shown once, when it is made. Beside
 * `npm start` it uses the settings of that stack. `npm run keys -- create signing` prints a new key for the setting
 * SIGNING_KEYS, and needs no settings itself.
 */
import { randomBytes } from 'node:crypto'
import type { Context } from '../context.ts'
import { type ApiKeyKind, createApiKey, listApiKeys, revokeApiKey } from '../db/api-keys.ts'
import { listEndpointsOfKey } from '../db/events/recipients.ts'
import { recordSecurityEvent } from '../db/security-log.ts'
import { isServiceScope, type ServiceScope, serviceScopes } from '../policy/access/service-scopes.ts'
import { dayOf } from '../shared/calendar.ts'
import { endWithUsage, missingOf, readArguments } from '../shared/process/arguments.ts'
import { runWithContext } from './run-with-context.ts'
import { printable } from './terminal-lines.ts'

const usage = `Usage: npm run keys -- <command>
  npm run keys -- create operator --label <text>
  npm run keys -- create service --label <text> [--scopes ${Object.keys(serviceScopes).join(',')}]
  npm run keys -- create signing
  npm run keys -- list
  npm run keys -- revoke <id>`

const longestLabel = 100

const { positionals, values } = readArguments(
  usage,
  { label: { type: 'string' }, scopes: { type: 'string' } },
  { words: true },
)
const [command, argument = ''] = positionals
if (command === 'create' && argument === 'signing') {
  const day = dayOf(new Date())
  console.log(`signing-${day}-${randomBytes(2).toString('hex')}:${randomBytes(32).toString('base64')}`)
  console.error('Put it first in SIGNING_KEYS of every process, before a comma and the older keys.')
} else {
  await runWithContext('ama-esim-keys', 1, workOf())
}

/**
 * @returns the work of the command, which resolves to the exit code. A wrong command ends the process before it opens
 * anything
 */
function workOf(): (context: Context) => Promise<number> {
  if (command === 'list') return list
  if (command === 'revoke') return argument ? revoke : endWithUsage(usage, 'Which key? Its id is missing.')
  if (command !== 'create')
    return endWithUsage(usage, command === undefined ? 'A command is missing.' : `There is no command ${command}.`)
  if (!isKind(argument)) return endWithUsage(usage, 'Which key: operator, service or signing?')
  const { label = '' } = values
  const missing = missingOf({ label })
  if (missing !== undefined) return endWithUsage(usage, missing)
  if (label.length > longestLabel) return endWithUsage(usage, `--label takes up to ${longestLabel} characters.`)
  const scopes = scopesIn(values.scopes)
  if (scopes === undefined) return endWithUsage(usage, '--scopes names what is no scope.')
  if (scopes !== null && argument !== 'service') return endWithUsage(usage, 'Only service keys take --scopes.')
  return (context) => create(context, { kind: argument, label, scopes })
}

interface NewKey {
  kind: ApiKeyKind
  label: string
  /** null: all */
  scopes: ServiceScope[] | null
}

async function create(context: Context, { kind, label, scopes }: NewKey): Promise<number> {
  const { sql } = context
  const at = new Date()
  const { id, token } = await createApiKey(sql, { kind, label, at, ...(scopes && { scopes }) })
  const detail = [id, ...(scopes ?? [])].join(' ')
  await recordSecurityEvent(sql, context, { kind: 'key_created', actor: 'command line', detail, at })
  console.log(token)
  console.error(`Made ${kind} key ${id}. This is the only time it is shown.`)
  return 0
}

async function list({ sql }: Context): Promise<number> {
  for (const key of await listApiKeys(sql)) {
    const state = key.revokedAt ? `revoked ${key.revokedAt.toISOString()}` : 'in force'
    const scopes = key.scopes?.join(',') ?? 'all'
    console.log([key.id, key.kind, key.createdAt.toISOString(), state, printable(key.label), scopes].join('\t'))
  }
  return 0
}

async function revoke(context: Context): Promise<number> {
  const { sql } = context
  const at = new Date()
  if (!(await revokeApiKey(sql, argument, at))) {
    console.error('There is no such key in force.')
    return 1
  }
  await recordSecurityEvent(sql, context, { kind: 'key_revoked', actor: 'command line', detail: argument, at })
  console.error(`Revoked ${argument}. It is refused from now on.`)
  for (const endpoint of await listEndpointsOfKey(sql, argument))
    console.error(
      `Events go on to ${printable(endpoint.url)}, the address that it gave webhook endpoint ${endpoint.id}: an operator task asks whose that is.`,
    )
  return 0
}

function isKind(text: string): text is ApiKeyKind {
  return text === 'service' || text === 'operator'
}

/** @returns null without the option; undefined when it names what is no scope */
function scopesIn(text: string | undefined): ServiceScope[] | null | undefined {
  if (text === undefined) return null
  const names = text.split(',').map((name) => name.trim())
  const scopes = names.filter(isServiceScope)
  return scopes.length === names.length ? scopes : undefined
}
