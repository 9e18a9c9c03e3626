import type { Context } from '../../context.ts'
import { insertAccount } from '../../db/accounts.ts'
import { currentPolicyVersion } from '../../policy/versions.ts'
import { seededUuid } from './seed.ts'

/** Inserts many accounts without the API. @returns ids and addresses, in the order of the ids */
export async function insertAccounts(
  context: Context,
  count: number,
  options: { promotions?: boolean; at?: Date } = {},
): Promise<{ id: string; email: string }[]> {
  const { sql } = context
  const made = Array.from({ length: count }, () => {
    const id = seededUuid()
    return { id, email: `${id}@people.example` }
  })
  await sql.begin(async (tx) => {
    for (const { id, email } of made) {
      await insertAccount(tx, context, {
        id,
        email,
        firstName: 'Fi',
        lastName: 'La',
        phone: null,
        signUpIp: null,
        firebaseUid: null,
        policyVersion: currentPolicyVersion,
        at: options.at ?? new Date(),
      })
    }
    if (options.promotions) await tx`update accounts set promotions = true where id in ${tx(made.map(({ id }) => id))}`
  })
  return made.sort((a, b) => (a.id < b.id ? -1 : 1))
}
