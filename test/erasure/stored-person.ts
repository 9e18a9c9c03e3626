/** A database with a person, without API and worker: for tests of the database alone. */
import { randomBytes, randomUUID } from 'node:crypto'
import { ensureDays } from '../../db/access/daily-partitions.ts'
import { insertAccount } from '../../db/accounts.ts'
import { connectDatabase } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import { createDataKeys } from '../../db/crypto/data-keys.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import { insertOrder } from '../../db/order/orders.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { currentPolicyVersion } from '../../policy/versions.ts'
import { fillPerson } from './fill.ts'
import { plainOrder } from './plain-order.ts'

export type Stored = Awaited<ReturnType<typeof openDatabase>>

export async function openDatabase() {
  const postgres = await startPostgres()
  const sql = connectDatabase(postgres.url, { maxConnections: 1 })
  await migrate(postgres.url)
  await ensureDays(sql, 'security_log', new Date(), 2)
  await ensureDays(sql, 'access_log', new Date(), 2)
  const cipher = createFieldCipher({ activeId: 'k1', keys: new Map([['k1', randomBytes(32)]]) }, randomBytes(32))
  const encryption = { sql, cipher, dataKeys: createDataKeys(cipher) }

  return {
    ...encryption,
    url: postgres.url,
    /** Inserts a person with data in every column. @returns the account's id */
    async store(name: string): Promise<string> {
      const [accountId, orderId] = [randomUUID(), randomUUID()]
      const at = new Date()
      await sql.begin((tx) =>
        insertAccount(tx, encryption, {
          id: accountId,
          email: `${name}@people.example`,
          firstName: name,
          lastName: name,
          phone: null,
          signUpIp: null,
          firebaseUid: null,
          policyVersion: currentPolicyVersion,
          at,
        }),
      )
      await insertOrder(
        sql,
        plainOrder({
          id: orderId,
          accountId,
          at,
          payment_intent_id: `pi_${name}`,
          checkout_session_id: `cs_${name}`,
        }),
      )
      await fillPerson(encryption, { name, accountId, orderId })
      return accountId
    },
    async close() {
      await sql.end()
      await postgres.stop()
    },
  }
}
