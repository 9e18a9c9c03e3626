/** The eSIMs of an order. Codes and identifiers are encrypted under the customer's data key. */
import { v5 } from 'uuid'
import type { EsimProviderId, EsimState, EsimStatus, ProvidedEsim } from '../../providers/esim.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { Esims, Orders, Refunds } from '../connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from '../crypto/column-encryption.ts'
import type { DataKey } from '../crypto/field-cipher.ts'
import type { Placement } from './placements.ts'

export interface StoredEsim {
  id: string
  provider: EsimProviderId
  esimRef: string
  iccid: string
  activationCode: string
  confirmationCode: string | null
  apn: string | null
  state: EsimState
  suspended: boolean
  totalBytes: bigint | null
  usedBytes: bigint
  activatedAt: Date | null
  unusedUntil: Date | null
  validityStarts: Esims['validity_starts']
  checkedAt: Date
  expiresAt: Date | null
  /** we asked the provider for its return, and were not refused */
  returnAsked: boolean
}

const perhapsNew: readonly EsimState[] = ['new', 'suspended', 'cancelled', 'unknown']

/** Whether nobody has installed an eSIM, or only its provider can tell: it may have been returned, or may still be. */
export const isPerhapsNew = ({ state }: { state: EsimState }): boolean => perhapsNew.includes(state)

/** An arbitrary constant: the namespace of eSIM ids (RFC 9562, section 5.5). */
const esimIds = '5f6f0f0e-6a0c-4d8e-9d55-2b1f6f1b7a10'

type EncryptedDatabase = ColumnEncryption & { sql: Database }

/** By which an eSIM is found when its provider names it. */
export const esimRefIndex = (
  encryption: Pick<ColumnEncryption, 'cipher'>,
  provider: EsimProviderId,
  esimRef: string,
): Buffer => encryption.cipher.blindIndex('esims.esim_ref', `${provider}\0${esimRef}`)

/** By which an eSIM is found when its owner reads its number out. */
export const iccidIndex = ({ cipher }: Pick<ColumnEncryption, 'cipher'>, iccid: string): Buffer =>
  cipher.blindIndex('esims.iccid', iccid)

/** Stores the eSIMs of a placement once, with the placement's new state, unless the placement is being returned. */
export async function insertEsims(
  context: EncryptedDatabase,
  order: Orders,
  placement: Placement,
  esims: ProvidedEsim[],
): Promise<void> {
  const key = await context.dataKeys.get(context.sql, order.account_id)
  const fields = tableEncryption(context.cipher, key, 'esims')
  const rows = esims.map((esim) => ({
    // The same after a restore, where a top-up in a run's input names it.
    id: v5(`${placement.client_ref}/${esim.esimRef}`, esimIds),
    order_id: order.id,
    provider: placement.provider,
    esim_ref: json(fields.seal('esim_ref', esim.esimRef)),
    esim_ref_index: json(esimRefIndex(context, placement.provider, esim.esimRef)),
    iccid: json(fields.seal('iccid', esim.iccid)),
    iccid_index: json(iccidIndex(context, esim.iccid)),
    activation_code: json(fields.seal('activation_code', esim.activationCode)),
    confirmation_code: json(fields.sealOptional('confirmation_code', esim.confirmationCode)),
    apn: esim.apn,
    state: 'new',
    total_bytes: order.data_bytes === null ? null : String(order.data_bytes),
    unused_until: esim.unusedValidUntil,
    checked_at: order.paid_at?.toISOString() ?? null,
  }))
  await context.sql`
    with provided as (
      update provider_orders set state = 'provided' where id = ${placement.id} and state = 'placed' returning true),
    offer as (
      select validity_starts, supports_top_up from package_offers
      where package_code = ${order.package_code} and provider = ${placement.provider})
    insert into esims (id, order_id, provider, esim_ref, esim_ref_index, iccid, iccid_index, activation_code,
      confirmation_code, apn, state, total_bytes, unused_until, checked_at, validity_starts,
      supports_top_up)
    select id, order_id, provider, esim_ref, esim_ref_index, iccid, iccid_index, activation_code, confirmation_code, apn,
      state, total_bytes, unused_until, checked_at, (select validity_starts from offer),
      (select supports_top_up from offer)
    from provided, jsonb_populate_recordset(null::esims, ${context.sql.json(rows)})`
}

/** Bytes in the form that PostgreSQL reads from JSON. */
const json = (bytes: Buffer | null): string | null => bytes && `\\x${bytes.toString('hex')}`

/** The decrypted eSIMs of an order, in the order in which they were stored. */
export async function listEsims(
  context: EncryptedDatabase,
  order: Pick<Orders, 'id' | 'account_id'>,
): Promise<StoredEsim[]> {
  const rows = await context.sql<Esims[]>`select * from esims where order_id = ${order.id} order by id`
  const key = rows.length > 0 ? await findDataKey(context.sql, context, order.account_id) : undefined
  if (!key) return []
  return rows.map(opener(context, key))
}

/** The eSIMs that an order is about: its own, or the one that a top-up was bought for. */
export async function listEsimsServed(
  context: EncryptedDatabase,
  order: Pick<Orders, 'id' | 'account_id' | 'parent_order_id' | 'esim_id'>,
): Promise<StoredEsim[]> {
  if (order.parent_order_id === null) return listEsims(context, order)
  const esims = await listEsims(context, { id: order.parent_order_id, account_id: order.account_id })
  return esims.filter(({ id }) => id === order.esim_id)
}

/** The decrypted eSIMs of several orders of one account, by the id of their order. */
export async function listEsimsOfOrders(
  context: EncryptedDatabase,
  accountId: string,
  orderIds: readonly string[],
): Promise<Map<string, StoredEsim[]>> {
  const rows = await context.sql<Esims[]>`
    select e.* from esims e join orders o on o.id = e.order_id
    where e.order_id = any(${[...orderIds]}::uuid[]) and o.account_id = ${accountId} order by e.id`
  const key = rows.length > 0 ? await findDataKey(context.sql, context, accountId) : undefined
  const byOrder = new Map<string, StoredEsim[]>()
  if (!key) return byOrder
  const open = opener(context, key)
  for (const row of rows) byOrder.set(row.order_id, [...(byOrder.get(row.order_id) ?? []), open(row)])
  return byOrder
}

function opener({ cipher }: EncryptedDatabase, key: DataKey): (row: Esims) => StoredEsim {
  const fields = tableEncryption(cipher, key, 'esims')
  return (row) => ({
    id: row.id,
    provider: row.provider,
    esimRef: fields.open('esim_ref', row.esim_ref),
    iccid: fields.open('iccid', row.iccid),
    activationCode: fields.open('activation_code', row.activation_code),
    confirmationCode: fields.openOptional('confirmation_code', row.confirmation_code),
    apn: row.apn,
    state: row.state,
    suspended: row.suspended,
    totalBytes: row.total_bytes,
    usedBytes: row.used_bytes,
    activatedAt: row.activated_at,
    unusedUntil: row.unused_until,
    validityStarts: row.validity_starts,
    checkedAt: row.checked_at,
    expiresAt: row.expires_at,
    returnAsked: row.return_asked_at !== null,
  })
}

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
  context: EncryptedDatabase,
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

/** Whose an eSIM is, and whether it takes top-ups now. */
export interface OwnedEsim {
  accountId: string
  orderId: string
  /** of its order: one eSIM of a delivered order may be over, while another one is in use */
  delivered: boolean
  state: EsimState
  suspended: boolean
}

export async function findEsimOwner(sql: Queryable, esimId: string): Promise<OwnedEsim | undefined> {
  const [row] = await sql<(Pick<Orders, 'account_id' | 'id' | 'status'> & Pick<Esims, 'state' | 'suspended'>)[]>`
    select o.account_id, o.id, e.state, e.suspended, o.status
    from esims e join orders o on o.id = e.order_id where e.id = ${esimId}`
  return (
    row && {
      accountId: row.account_id,
      orderId: row.id,
      delivered: row.status === 'delivered',
      state: row.state,
      suspended: row.suspended,
    }
  )
}

export async function setEsimState(
  sql: Queryable,
  orderId: string,
  state: EsimState,
  at: Date,
  esimId?: string,
): Promise<void> {
  await sql`update esims set state = ${state}, suspended = suspended and ${state}::text <> 'cancelled', checked_at = ${at}
    where order_id = ${orderId} ${esimId === undefined ? sql`` : sql`and id = ${esimId}`}`
}

/**
 * Locks those of the eSIMs that are with the customer and whose return was not asked for.
 * @returns their ids
 */
export async function lockUnreturned(tx: Transaction, esimIds: readonly string[]): Promise<string[]> {
  const rows = await tx<Pick<Esims, 'id'>[]>`
    select id from esims where id = any(${[...esimIds]}::uuid[]) and state <> 'cancelled' and return_asked_at is null
    order by id for update`
  return rows.map(({ id }) => id)
}

/** Whether an unused eSIM is being returned, or was. It waits for who is about to claim it for a return. */
export async function isBeingReturned(sql: Queryable, esimId: string): Promise<boolean> {
  const [row] = await sql<{ returned: boolean }[]>`
    select state = 'cancelled' or (state = 'new' and return_asked_at is not null) as returned
    from esims where id = ${esimId} for share`
  return row?.returned ?? true
}

/** Records before a request that the provider is asked for the return of an eSIM; `null`: it has refused. */
export async function noteReturnAsked(sql: Queryable, esimId: string, at: Date | null): Promise<void> {
  await sql`update esims set return_asked_at = ${at} where id = ${esimId}`
}

/**
 * Kind of the operator task of eSIMs that went back without their refund, some or all: a part of the eSIMs, or a refund
 * that was asked for with the return, has no price of its own.
 */
export const returnedNotRefunded = 'returned_not_refunded'

/** How long before its return a refund may be asked for: the amount of a partial refund is reserved a moment before. */
const reservedBeforeMs = 60_000
const notMade = ['failed', 'canceled', 'refused']

/** Whether a refund was asked for since the first return of its order, or together with it. */
export const isRefundOfReturn = (
  { state, created_at }: Pick<Refunds, 'state' | 'created_at'>,
  firstAsked: Date,
): boolean => !notMade.includes(state) && created_at.getTime() >= firstAsked.getTime() - reservedBeforeMs

/**
 * How many eSIMs of an order were returned at our request, and whether a refund is theirs, as `isRefundOfReturn` says.
 */
export async function countReturned(
  sql: Queryable,
  orderId: string,
): Promise<{ returned: number; total: number; isRefunded: boolean }> {
  const [row] = await sql<{ returned: number; total: number; is_refunded: boolean }[]>`
    select returned, total,
      exists (
        select from refunds r where r.order_id = ${orderId} and r.state <> all(${notMade})
          and r.created_at >= first_asked - ${reservedBeforeMs} * interval '1 millisecond') as is_refunded
    from (
      select count(*)::int as total, (count(*) filter (where state = 'cancelled' and return_asked_at is not null))::int as returned,
        min(return_asked_at) filter (where state = 'cancelled') as first_asked
      from esims where order_id = ${orderId}) its`
  return { returned: row?.returned ?? 0, total: row?.total ?? 0, isRefunded: row?.is_refunded ?? false }
}

export async function setEsimSuspended(sql: Queryable, esimId: string, suspended: boolean): Promise<void> {
  await sql`update esims set suspended = ${suspended} where id = ${esimId}`
}

/**
 * Stores the provider's current status of an eSIM. Its end stays: an answer that was read before it may be written
 * after it. An expired one lives again if a top-up has moved its expiry into the future. One that is used has not been
 * returned, whatever was asked for.
 */
export async function recordEsimStatus(sql: Queryable, esimId: string, status: EsimStatus, at: Date): Promise<void> {
  await sql`update esims set
      state = case when state = 'cancelled' or (state = 'expired' and not coalesce(${status.expiresAt}::timestamptz > ${at}, false))
        then state else ${status.state} end,
      total_bytes = coalesce(${status.totalBytes}, total_bytes),
      used_bytes = greatest(used_bytes, ${status.usedBytes}),
      activated_at = coalesce(${status.activatedAt}, activated_at),
      return_asked_at = case when state = 'cancelled' or ${isPerhapsNew(status)} then return_asked_at end,
      expires_at = coalesce(${status.expiresAt}, expires_at), checked_at = ${at}
    where id = ${esimId}`
}

/** Whether a top-up of an eSIM was delivered after its provider was last asked about it. */
export async function isToppedUpSince(sql: Queryable, esim: Pick<StoredEsim, 'id' | 'checkedAt'>): Promise<boolean> {
  const rows = await sql`
    select 1 from orders where esim_id = ${esim.id} and status = 'delivered' and delivered_at > ${esim.checkedAt} limit 1`
  return rows.length > 0
}

/** The delivered order of an eSIM; the newest one, since providers reuse references. */
export async function findOrderOfEsim(
  sql: Queryable,
  encryption: ColumnEncryption,
  provider: EsimProviderId,
  esimRef: string,
): Promise<{ orderId: string; delivered: boolean; usedShare: number; totalBytes: bigint | null } | undefined> {
  const [row] = await sql<(Pick<Orders, 'id' | 'status'> & Pick<Esims, 'total_bytes'> & { used_share: number })[]>`
    select o.id, o.status, e.total_bytes, coalesce(e.used_bytes::float8 / nullif(e.total_bytes, 0), 0) as used_share from esims e join orders o on o.id = e.order_id
    where e.provider = ${provider} and e.esim_ref_index = ${esimRefIndex(encryption, provider, esimRef)}
    order by o.created_at desc limit 1`
  return (
    row && {
      orderId: row.id,
      delivered: row.status === 'delivered',
      usedShare: row.used_share,
      totalBytes: row.total_bytes,
    }
  )
}

/** The delivered order of a provider's order number. */
export async function findDeliveredOrder(
  sql: Queryable,
  provider: EsimProviderId,
  orderNo: string,
): Promise<{ orderId: string; delivered: true; usedShare: number } | undefined> {
  const [row] = await sql<Pick<Orders, 'id'>[]>`
    select o.id from provider_orders p join orders o on o.id = p.order_id
    where p.provider = ${provider} and p.provider_order_no = ${orderNo} and o.status = 'delivered' limit 1`
  return row && { orderId: row.id, delivered: true, usedShare: 0 }
}
