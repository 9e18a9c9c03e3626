/** Public keys by which signatures are verified. They stay after their private keys are gone. */
import type { Queryable } from '../connection/database.ts'
import type { SigningKeys } from '../connection/schema.ts'
import type { PublicKey } from '../crypto/signer.ts'

/** Stores public keys. @throws when an id or a key is stored with another partner: the settings name it wrongly */
export async function rememberSigningKeys(sql: Queryable, keys: readonly PublicKey[], at: Date): Promise<void> {
  for (const { id, publicKey } of keys) {
    const isKnown = async () =>
      (await sql`select from signing_keys where id = ${id} and public_key = ${publicKey}`).length > 0
    if (await isKnown()) continue
    await sql`insert into signing_keys (id, public_key, first_used_on) values (${id}, ${publicKey}, ${at})
      on conflict do nothing`
    if (!(await isKnown()))
      throw new Error(
        `SIGNING_KEYS: ${id} is the id of another key, or this key has had another id. Give a new key a new id, and an old one the id that it had`,
      )
  }
}

/** Every key that ever signed, the newest last. */
export async function listSigningKeys(sql: Queryable): Promise<PublicKey[]> {
  const rows = await sql<SigningKeys[]>`select * from signing_keys order by first_used_on, id`
  return rows.map(({ id, public_key }) => ({ id, publicKey: public_key }))
}
