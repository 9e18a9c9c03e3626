/** Finds an eSIM by its ICCID. */
import type { Database } from '../connection/database.ts'
import type { Esims, Orders } from '../connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from '../crypto/column-encryption.ts'
import { iccidIndex } from '../order/esims.ts'

/** Rows read at once. */
const batchSize = 500

/** The orders of the eSIMs with this ICCID. A provider may have given one number to several orders. */
export async function findOrdersByIccid(
  context: ColumnEncryption & { sql: Database },
  iccid: string,
): Promise<string[]> {
  await indexOlderEsims(context)
  const rows = await context.sql<Pick<Esims, 'order_id'>[]>`
    select distinct order_id from esims where iccid_index = ${iccidIndex(context, iccid)}`
  return rows.map(({ order_id }) => order_id)
}

type Unindexed = Pick<Esims, 'id' | 'iccid'> & Pick<Orders, 'account_id'>

/**
 * Fills the index of eSIMs that are older than it, or of a backup from before it. SQL cannot: the number is encrypted
 * under the account's key. Housekeeping does it, so that a search has nothing left to do.
 * @param onBatch is called between batches
 * @returns how many were indexed
 */
export async function indexOlderEsims(
  context: ColumnEncryption & { sql: Database },
  onBatch: () => void = () => undefined,
): Promise<number> {
  const { sql } = context
  let indexed = 0
  let after: string | null = null
  for (;;) {
    const rows: Unindexed[] = await sql<Unindexed[]>`
      select e.id, e.iccid, o.account_id from esims e join orders o on o.id = e.order_id
      where e.iccid_index is null ${after === null ? sql`` : sql`and e.id > ${after}`} order by e.id limit ${batchSize}`
    for (const { id, iccid, account_id } of rows) {
      const key = await findDataKey(sql, context, account_id)
      // The account was erased meanwhile, and the row with it.
      if (!key) continue
      const number = tableEncryption(context.cipher, key, 'esims').open('iccid', iccid)
      await sql`update esims set iccid_index = ${iccidIndex(context, number)} where id = ${id}`
      indexed += 1
    }
    onBatch()
    if (rows.length < batchSize) return indexed
    after = rows.at(-1)?.id ?? null
  }
}
