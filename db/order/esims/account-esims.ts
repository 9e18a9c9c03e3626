/** The eSIMs of an account, as the app lists them. */
import type { EsimState } from '../../../providers/esim.ts'
import type { Database } from '../../connection/database.ts'
import type { Esims, Orders } from '../../connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from '../../crypto/column-encryption.ts'

/** An eSIM of an account without the secrets of its installation. */
export interface AccountEsim {
  id: string
  orderId: string
  packageCode: string
  packageName: string
  destination: string
  iccid: string
  state: EsimState
  suspended: boolean
  totalBytes: bigint | null
  usedBytes: bigint
  checkedAt: Date
  validityStarts: Esims['validity_starts']
  unusedUntil: Date | null
  activatedAt: Date | null
  expiresAt: Date | null
  orderedAt: Date
}

type AccountEsimRow = Pick<
  Esims,
  | 'id'
  | 'order_id'
  | 'iccid'
  | 'state'
  | 'suspended'
  | 'total_bytes'
  | 'used_bytes'
  | 'checked_at'
  | 'validity_starts'
  | 'unused_until'
  | 'activated_at'
  | 'expires_at'
> &
  Pick<Orders, 'package_code' | 'package_name' | 'destination' | 'created_at'>

/** A page of the eSIMs of an account, those of the newest order first. */
export async function listEsimsOfAccount(
  context: ColumnEncryption & { sql: Database },
  accountId: string,
  page: { after: [orderedAt: string, id: string] | undefined; limit: number },
): Promise<AccountEsim[]> {
  const { sql } = context
  const key = await findDataKey(sql, context, accountId)
  if (!key) return []
  const fields = tableEncryption(context.cipher, key, 'esims')
  const rows = await sql<AccountEsimRow[]>`
    select e.id, e.order_id, e.iccid, e.state, e.suspended, e.total_bytes, e.used_bytes, e.checked_at, e.validity_starts,
      e.unused_until, e.activated_at, e.expires_at, o.package_code, o.package_name, o.destination, o.created_at
    from orders o join esims e on e.order_id = o.id
    where o.account_id = ${accountId}
      ${page.after === undefined ? sql`` : sql`and (o.created_at, e.id) < (${page.after[0]}, ${page.after[1]})`}
    order by o.created_at desc, e.id desc limit ${page.limit}`
  return rows.map((row) => ({
    id: row.id,
    orderId: row.order_id,
    packageCode: row.package_code,
    packageName: row.package_name,
    destination: row.destination,
    iccid: fields.open('iccid', row.iccid),
    state: row.state,
    suspended: row.suspended,
    totalBytes: row.total_bytes,
    usedBytes: row.used_bytes,
    checkedAt: row.checked_at,
    validityStarts: row.validity_starts,
    unusedUntil: row.unused_until,
    activatedAt: row.activated_at,
    expiresAt: row.expires_at,
    orderedAt: row.created_at,
  }))
}
