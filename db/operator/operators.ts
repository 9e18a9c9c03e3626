/** The persons who work on the console; those of the OpenID provider are in openid-operators.ts. */
import { randomBytes } from 'node:crypto'
import { generateSecret, generateURI, verify } from 'otplib'
import type { OperatorRole } from '../../policy/operators/operator-roles.ts'
import { periods } from '../../policy/periods.ts'
import { normalEmail } from '../accounts.ts'
import type { Database } from '../connection/database.ts'
import type { Operators } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'
import { raiseOperatorTask } from '../operator-tasks.ts'
import { hashPassword, isPassword } from './passwords.ts'

type Context = ColumnEncryption & { sql: Database }

export interface Operator {
  id: string
  name: string
  /** missing when the OpenID provider names none */
  email: string | null
  role: OperatorRole
  signsInBy: 'password' | 'openid'
  createdAt: Date
  disabledAt: Date | null
}

/** The credentials with which a person signs in. They are shown once. */
export interface Credentials {
  id: string
  password: string
  /** for an authenticator app, also as a QR code */
  uri: string
}

const issuer = 'AMA eSIM console'

const fieldsOf = async ({ sql, cipher, dataKeys }: Context) =>
  tableEncryption(cipher, await dataKeys.system(sql), 'operators')

const emailIndex = ({ cipher }: Context, email: string): Buffer =>
  cipher.blindIndex('operators.email', normalEmail(email))

/** Creates an operator, or gives one new credentials, a new name and a new role. Their sessions end. */
export async function saveOperator(
  context: Context,
  operator: { name: string; email: string; role: OperatorRole; at: Date },
): Promise<Credentials> {
  const { sql } = context
  const fields = await fieldsOf(context)
  const password = randomBytes(18).toString('base64url')
  const secret = generateSecret()
  const row = {
    name: operator.name,
    email: fields.seal('email', operator.email),
    role: operator.role,
    password_hash: await hashPassword(password),
    totp_secret: fields.seal('totp_secret', secret),
    totp_step: 0n,
    failed_codes: 0,
    last_failed_code_at: null,
    disabled_at: null,
  } satisfies Partial<Operators>
  return await sql.begin(async (tx) => {
    const [saved] = await tx<Pick<Operators, 'id'>[]>`
      insert into operators ${tx({
        ...row,
        id: randomBytes(8).toString('hex'),
        email_index: emailIndex(context, operator.email),
        created_at: operator.at,
        openid_index: null,
      } satisfies Operators)}
      on conflict (email_index) do update set ${tx(row)} returning id`
    const id = saved?.id ?? ''
    await tx`delete from web_sessions where operator_id = ${id}`
    return { id, password, uri: generateURI({ issuer, label: operator.email, secret }) }
  })
}

/** Every operator, disabled ones too. */
export async function listOperators(context: Context): Promise<Operator[]> {
  const fields = await fieldsOf(context)
  const rows = await context.sql<Operators[]>`select * from operators order by created_at, id`
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    email: row.email && fields.open('email', row.email),
    role: row.role,
    signsInBy: row.openid_index ? 'openid' : 'password',
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
  }))
}

/**
 * Whether two names of the security log can be one person. One person may sign in by password and at the OpenID
 * provider, and may hold an operator key, which says nothing of who they are.
 */
export const mayBeSameOperator = async (context: Context, one: string, other: string): Promise<boolean> =>
  (await sameOperators(context, one, [other])).length > 0

/** Filters the names that can be the same person as this one. */
export async function sameOperators(context: Context, one: string, others: readonly string[]): Promise<string[]> {
  if (others.every((other) => other === one)) return [...others]
  const people = new Map((await listOperators(context)).map((operator) => [`operator:${operator.id}`, operator]))
  const first = people.get(one)
  return others.filter((other) => {
    if (one === other) return true
    const second = people.get(other)
    if (!first || !second) return first !== undefined || second !== undefined
    if (first.email === null || second.email === null) return first.signsInBy !== second.signsInBy
    return normalEmail(first.email) === normalEmail(second.email)
  })
}

/**
 * Ends an operator's access at once. An operator of the OpenID provider cannot sign in again either. @returns false
 * when there is no operator with access and this id
 */
export async function disableOperator({ sql }: Pick<Context, 'sql'>, id: string, at: Date): Promise<boolean> {
  const disabled = await sql`update operators set disabled_at = ${at} where id = ${id} and disabled_at is null`
  return disabled.count === 1
}

/** The most codes that may be refused in a row; then only one in each `guessedCodesMs` is checked. */
const mostFailedCodes = 10

/**
 * Checks the password, then the code of the authenticator, which works once. Refused codes count after the right
 * password only: nobody else can lock an operator out, and the passwords, which are ours and random, cannot be guessed.
 * @returns the id, or why it is refused
 * @throws NoTurn when too many passwords are being checked
 */
export async function verifyOperator(
  context: Context,
  given: { email: string; password: string; code: string; at: Date },
): Promise<{ id: string } | { refused: 'password' | 'code' | 'disabled' | 'guessed'; id: string | undefined }> {
  const { sql } = context
  const lockedSince = new Date(given.at.getTime() - periods.guessedCodesMs)
  const [row] = await sql<Operators[]>`select * from operators where email_index = ${emailIndex(context, given.email)}`
  if (row && isLocked(row, lockedSince)) return { refused: 'guessed', id: row.id }
  if (!(await isPassword(given.password, row?.password_hash)) || !row?.totp_secret)
    return { refused: 'password', id: row?.id }
  if (row.disabled_at) return { refused: 'disabled', id: row.id }
  if (!/^\d{6}$/.test(given.code)) return refuseCode(sql, row.id, given.at)
  const secret = (await fieldsOf(context)).open('totp_secret', row.totp_secret)
  const result = await verify({
    secret,
    token: given.code,
    epoch: Math.floor(given.at.getTime() / 1000),
    // The codes before and after are valid, too: the clock of the authenticator may differ from ours.
    epochTolerance: 30,
  })
  if (!result.valid || !('timeStep' in result)) return refuseCode(sql, row.id, given.at)
  const taken = await sql`
    update operators set totp_step = ${result.timeStep}, failed_codes = 0, last_failed_code_at = null
    where id = ${row.id} and totp_step < ${result.timeStep}
      -- While the password was checked another one was set, the operator was disabled, or more codes were refused.
      and password_hash = ${row.password_hash} and disabled_at is null
      and not (failed_codes >= ${mostFailedCodes} and last_failed_code_at > ${lockedSince})`
  return taken.count === 1 ? { id: row.id } : refuseCode(sql, row.id, given.at)
}

const isLocked = ({ failed_codes: count, last_failed_code_at: last }: Operators, since: Date): boolean =>
  count >= mostFailedCodes && last !== null && last > since

async function refuseCode(sql: Database, id: string, at: Date): Promise<{ refused: 'code'; id: string }> {
  const [row] = await sql<Pick<Operators, 'failed_codes'>[]>`
    update operators set failed_codes = failed_codes + 1, last_failed_code_at = ${at} where id = ${id}
    returning failed_codes`
  if ((row?.failed_codes ?? 0) >= mostFailedCodes)
    await raiseOperatorTask(sql, { kind: 'operator_sign_in_guessed', subjectId: id, at })
  return { refused: 'code', id }
}
