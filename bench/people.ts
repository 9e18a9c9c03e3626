/**
 * Inserts a hundred thousand accounts or more without the API, each with its data key and encrypted as the API does.
 */
import { randomUUID } from 'node:crypto'
import type { Context } from '../context.ts'
import { normalEmail } from '../db/accounts.ts'
import { tableEncryption } from '../db/crypto/column-encryption.ts'
import { currentPolicyVersion } from '../policy/versions.ts'

const atOnce = 2_000

/** @param lastActiveAt when the account with an index was last used; default: now */
export async function insertPeople(
  { sql, cipher }: Pick<Context, 'sql' | 'cipher'>,
  count: number,
  lastActiveAt: (index: number) => Date = () => new Date(),
): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    const size = Math.min(atOnce, count - done)
    const people = Array.from({ length: size }, (_, index) => person(cipher, lastActiveAt(done + index)))
    await sql.begin(async (tx) => {
      await tx`insert into data_keys ${tx(people.map(({ key }) => key))}`
      await tx`insert into accounts ${tx(people.map(({ account }) => account))}`
    })
  }
  await sql`analyze accounts`
  await sql`analyze data_keys`
}

function person(cipher: Context['cipher'], at: Date) {
  const id = randomUUID()
  const { kekId, wrapped, ...key } = cipher.newDataKey(id)
  const fields = tableEncryption(cipher, key, 'accounts')
  const email = `${id}@people.example`
  return {
    key: { account_id: id, kek_id: kekId, wrapped_key: wrapped },
    account: {
      id,
      account_ref: cipher.accountRef(id),
      email: fields.seal('email', email),
      email_index: cipher.blindIndex('accounts.email', normalEmail(email)),
      first_name: fields.seal('first_name', 'Fi'),
      last_name: fields.seal('last_name', 'La'),
      policy_version: currentPolicyVersion,
      created_at: at,
      last_active_at: at,
    },
  }
}
