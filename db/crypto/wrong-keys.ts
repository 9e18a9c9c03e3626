/**
 * Whether the settings have the keys with which a database was written. With another `INDEX_KEY` no row is found: people
 * sign up a second time, and our own payments count as those of another application. With other `FIELD_KEYS` nothing can
 * be read, and what is written meanwhile is lost with the next ones.
 */
import type { Fragment, Queryable } from '../connection/database.ts'
import type { Accounts, DataKeys } from '../connection/schema.ts'
import type { FieldCipher } from './field-cipher.ts'

type KeySetting = 'INDEX_KEY' | 'FIELD_KEYS'

type Row = DataKeys & { account_ref: Accounts['account_ref'] | null }

/** The database was written with keys that the settings have not. */
export class WrongKeys extends Error {
  override readonly name = 'WrongKeys'

  constructor(settings: readonly KeySetting[]) {
    super(`the database was written with another ${settings.join(' and other ')}`)
  }
}

/** @throws WrongKeys */
export async function assertOwnKeys({ sql, cipher }: { sql: Queryable; cipher: FieldCipher }): Promise<void> {
  const wrong = await wrongKeys(sql, cipher)
  if (wrong.length > 0) throw new WrongKeys(wrong)
}

/** One that is damaged says nothing of the others. */
const looksAt = 4

/** The settings whose keys are others; none as long as the database is empty. */
export async function wrongKeys(sql: Queryable, cipher: FieldCipher): Promise<KeySetting[]> {
  // Those whose key was taken away too early say nothing of the others either.
  const own = await read(sql, sql`where d.kek_id = any(${cipher.keyIds})`)
  const rows = own.length > 0 ? own : await read(sql, sql``)
  const referred = rows.filter(({ account_ref }) => account_ref !== null)
  const refers = referred.some(({ account_id, account_ref }) => cipher.accountRef(account_id) === account_ref)
  const opens = rows.some((row) => canOpen(cipher, row))
  return [
    ...(referred.length > 0 && !refers ? (['INDEX_KEY'] as const) : []),
    ...(rows.length > 0 && !opens ? (['FIELD_KEYS'] as const) : []),
  ]
}

const read = (sql: Queryable, where: Fragment) => sql<Row[]>`
  select d.account_id, d.kek_id, d.wrapped_key, a.account_ref
  from data_keys d left join accounts a on a.id = d.account_id ${where} limit ${looksAt}`

function canOpen(cipher: FieldCipher, { account_id, kek_id, wrapped_key }: Row): boolean {
  try {
    cipher.unwrap(account_id, { kekId: kek_id, wrapped: wrapped_key })
    return true
  } catch {
    return false
  }
}
