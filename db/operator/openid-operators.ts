/**
 * Operators who sign in at the company's OpenID provider, which knows their names and roles. Their sessions:
 * openid-sessions.ts.
 */
import { randomBytes } from 'node:crypto'
import type { OperatorRole } from '../../policy/operators/operator-roles.ts'
import type { Database } from '../connection/database.ts'
import type { Operators } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'

/**
 * Creates the operator at their first sign-in, and afterwards notes the current name, address and role. An operator
 * with the same address who signs in with a password is another operator.
 * @returns undefined for an operator who was disabled here
 */
export async function saveOpenIdOperator(
  context: ColumnEncryption & { sql: Database },
  person: {
    issuer: string
    subject: string
    name: string
    email: string | undefined
    role: OperatorRole
    at: Date
  },
): Promise<{ id: string; isChanged: boolean } | undefined> {
  const { sql, cipher, dataKeys } = context
  const fields = tableEncryption(cipher, await dataKeys.system(sql), 'operators')
  const index = openIdIndex(context, person)
  const row = { name: person.name, email: fields.sealOptional('email', person.email), role: person.role }
  const inserted = { ...row, id: randomBytes(8).toString('hex'), openid_index: index, created_at: person.at }
  const [saved] = await sql<(Pick<Operators, 'id'> & { before: OperatorRole | null })[]>`
    insert into operators ${sql(inserted satisfies Partial<Operators>)}
    on conflict (openid_index) do update set ${sql(row)} where operators.disabled_at is null
    returning id, (select role from operators where openid_index = ${index}) as before`
  return saved && { id: saved.id, isChanged: saved.before !== person.role }
}

/** The name of a person of an OpenID provider in our columns. */
export const openIdIndex = (
  { cipher }: Pick<ColumnEncryption, 'cipher'>,
  { issuer, subject }: { issuer: string; subject: string },
): Buffer => cipher.blindIndex('operators.openid_index', JSON.stringify([issuer, subject]))
