/**
 * Runs what a command does. When PostgreSQL, Temporal or an outside party does not answer, or does not let the command
 * in, one message says which of them, and where to look; a stack would be about this program.
 */
import { status } from '@grpc/grpc-js'
import { ConfigurationError } from '../config.ts'
import { UnreadableBackup } from '../db/backup/backup-cipher.ts'
import { PgToolFailed, PgToolsMissing } from '../db/backup/pg-tools.ts'
import { NothingToRestore } from '../db/backup/restore.ts'
import { connectionCodes } from '../db/connection/connection-codes.ts'
import { TablesInUse } from '../db/connection/migrate.ts'
import { WrongKeys } from '../db/crypto/wrong-keys.ts'
import { isProviderFailure } from '../providers/failure.ts'
import { textPropertyOf } from '../shared/keys-of.ts'
import { hasStatus } from '../temporal/grpc-status.ts'
import { printable } from './terminal-lines.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** SQLSTATE of PostgreSQL: connection exceptions, authentication, no such database, not ready, no connection left. */
const refusals = /^(?:08...|28...|3D000|57P0[1-3]|53300)$/
/** Insufficient privilege, a standby, no disk or memory left, an error of the server's system. */
const hindrances = /^(?:42501|25006|53...|58...)$/
/** A table or column that this version has and the database has not. */
const lacking = /^42(?:P01|703)$/
const certificates = /CERT|TLS|SSL|VERIFY/
const fileCodes = new Set(['EACCES', 'EDQUOT', 'EIO', 'EISDIR', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS', 'ESTALE'])

/**
 * Runs a command; its exit code is 1 when a service does not answer. Other errors are faults of the program, and keep their
 * stack.
 * @param options.migrates the command applies the migrations itself
 */
export async function runCommand(work: () => Promise<number>, { migrates = false } = {}): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    // A command that migrates meets a table that is missing by a fault of its own.
    const why = migrates && lacking.test(textPropertyOf(error, 'code') ?? '') ? undefined : whyAway(error)
    if (why === undefined) throw error
    process.stderr.write(`${why}\n`)
    process.exitCode = 1
  }
}

/** Which service does not answer by this error, and the setting to look at; undefined for an error of another kind. */
export function whyAway(error: unknown, environment: Environment = process.env): string | undefined {
  if (error instanceof ConfigurationError) return error.message
  if (error instanceof NothingToRestore) return `Refused: ${error.message}.`
  if (error instanceof PgToolFailed) return `${error.message}. ${error.said}`
  if (error instanceof PgToolsMissing)
    return `${error.message}. Install the client programs of the server's version of PostgreSQL or newer, or set PG_TOOLS_FOLDER.`
  if (error instanceof UnreadableBackup) return unreadable(error)
  if (error instanceof TablesInUse) return `${error.message}. Nothing of it was applied.`
  if (error instanceof WrongKeys)
    return `Refused: ${error.message}. Set those with which it was written: what is written with others is lost with them.`
  if (isProviderFailure(error))
    return `An outside party has not answered as it should: ${error.message}. \`npm run doctor\` asks each of them once.`
  const away = temporalAway(error, environment) ?? databaseAway(error, environment)
  return away === undefined ? ofFiles(error) : `${away} \`npm run doctor\` asks every service.`
}

/** What the machine refuses, of a file or folder that a command reads or writes: those of the backups. */
function ofFiles(error: unknown): string | undefined {
  return fileCodes.has(textPropertyOf(error, 'code') ?? '')
    ? `${oneLine(error)}.\nLook at BACKUP_FOLDER: whether it is a folder, what this user may do there, and how much space is left.`
    : undefined
}

const unreadable = ({ code, message }: UnreadableBackup): string =>
  code === 'unknown_key'
    ? 'No key of BACKUP_KEYS opens the backup or what is beside it. Give BACKUP_KEYS the key again under which they were made.'
    : `Refused: ${message}. Take another one: the folder is BACKUP_FOLDER.`

function temporalAway(error: unknown, environment: Environment): string | undefined {
  const call = withCauses(error).find((each) =>
    hasStatus(each, status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.UNAUTHENTICATED, status.PERMISSION_DENIED),
  )
  if (call === undefined) return undefined
  const isRefused = hasStatus(call, status.UNAUTHENTICATED, status.PERMISSION_DENIED)
  const setting = environment.TEMPORAL_PROFILE ? 'TEMPORAL_PROFILE' : 'TEMPORAL_ADDRESS'
  const what = isRefused ? 'Temporal does not let this command in' : 'Temporal does not answer'
  return `${what}: ${oneLine(call)}.\nLook at ${where(setting, environment)}${isRefused ? ', and at TEMPORAL_API_KEY or the certificate' : ''}.`
}

function databaseAway(error: unknown, environment: Environment): string | undefined {
  // A name with several addresses gives one error for all.
  const code = textPropertyOf(error, 'code')
  if (code === undefined) return undefined
  const setting = where('DATABASE_URL', environment)
  if (lacking.test(code))
    return `The database lacks what this version needs: ${oneLine(error)}.\nApply the migrations with \`npm run migrate\`, or look at ${setting}.`
  if (refusals.test(code))
    return `PostgreSQL does not let this command in: ${oneLine(error)} (${code}).\nLook at ${setting}.`
  if (hindrances.test(code))
    return `PostgreSQL refuses what this command does: ${oneLine(error)} (${code}).\nLook at ${setting}, whose role has to own the database and whose server must not be a standby, and at that server's disk.`
  if (!connectionCodes.has(code) && !certificates.test(code)) return undefined
  return `PostgreSQL does not answer: ${oneLine(error)}.\nLook at ${setting}.`
}

/** Without the setting a command uses those of the stack that `npm start` runs here. */
const where = (setting: string, environment: Environment): string =>
  environment[setting] || environment.NODE_ENV === 'production'
    ? setting
    : `${setting}; it is not set, so that of \`npm start\` is used: does that still run?`

/** What the error says, without its end; of several addresses what the first one has said. */
function oneLine(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error
  if (!(first instanceof Error)) return String(first)
  const said = textPropertyOf(first, 'details') || first.message || textPropertyOf(first, 'code') || first.name
  const [line = ''] = said.split('\n')
  return printable(line).replace(/\.$/, '')
}

function withCauses(error: unknown): unknown[] {
  const found: unknown[] = []
  for (let each = error; each instanceof Error && !found.includes(each); each = each.cause) found.push(each)
  return found
}
