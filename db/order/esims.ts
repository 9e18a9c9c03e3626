/** The eSIMs of an order. Codes and identifiers are encrypted under the customer's data key. */
import { v5 } from 'uuid'
import type { EsimProviderId, EsimState, EsimStatus, ProvidedEsim } from '../../providers/esim.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import type { Database, Queryable } from '../connection/database.ts'
import type { Esims, Orders } from '../connection/schema.ts'
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

/** Violated by an eSIM that lives with another order: db/migrations/0920-one-order-of-an-esim.sql */
export const esimsOfOneOrder = 'esims_of_one_order'

/**
 * Stores the eSIMs of a placement once, with the placement's new state, unless the placement is being returned.
 * @throws an error with the constraint `esimsOfOneOrder`
 */
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
    checked_at: isoOrNull(order.paid_at),
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
    from provided, jsonb_populate_recordset(null::esims, ${context.sql.json(rows)})
    -- Two orders with the same ones wait for each other in one order.
    order by esim_ref_index`
}

/** Bytes in the form that PostgreSQL reads from JSON. */
const json = (bytes: Buffer | null): string | null => bytes && `\\x${bytes.toString('hex')}`

/** Of a provider's eSIMs those that do not live with another order than that of a placement. */
export async function withoutOthers(
  { sql, cipher }: Pick<EncryptedDatabase, 'sql' | 'cipher'>,
  { provider, clientRef }: { provider: EsimProviderId; clientRef: string },
  esimRefs: readonly string[],
): Promise<string[]> {
  const indexOf = (esimRef: string): string => esimRefIndex({ cipher }, provider, esimRef).toString('hex')
  const rows = await sql<{ index: string }[]>`
    select encode(e.esim_ref_index, 'hex') as index from esims e join orders o on o.id = e.order_id
    where e.provider = ${provider}
      and e.esim_ref_index = any(${esimRefs.map((esimRef) => `\\x${indexOf(esimRef)}`)}::text[]::bytea[])
      and e.state not in ('expired', 'cancelled') and o.status <> 'ended'
      and e.order_id is distinct from (select order_id from provider_orders where client_ref = ${clientRef})`
  const others = new Set(rows.map(({ index }) => index))
  return esimRefs.filter((esimRef) => !others.has(indexOf(esimRef)))
}

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

/** Whose an eSIM is, and whether it takes top-ups now. */
export interface OwnedEsim {
  accountId: string
  orderId: string
  /** of its order: one eSIM of a delivered order may be over, while another one is in use */
  delivered: boolean
  state: EsimState
  suspended: boolean
  returnAsked: boolean
}

/** The account and the order of an eSIM, without its secrets. */
export async function findEsimOwner(sql: Queryable, esimId: string): Promise<OwnedEsim | undefined> {
  const [row] = await sql<
    (Pick<Orders, 'account_id' | 'id' | 'status'> & Pick<Esims, 'state' | 'suspended' | 'return_asked_at'>)[]
  >`
    select o.account_id, o.id, e.state, e.suspended, e.return_asked_at, o.status
    from esims e join orders o on o.id = e.order_id where e.id = ${esimId}`
  return (
    row && {
      accountId: row.account_id,
      orderId: row.id,
      delivered: row.status === 'delivered',
      state: row.state,
      suspended: row.suspended,
      returnAsked: row.return_asked_at !== null,
    }
  )
}

/** Writes that eSIMs are gone, which we know by ourselves: one, or all of an order. */
export async function setEsimsCancelled(sql: Queryable, orderId: string, at: Date, esimId?: string): Promise<void> {
  await sql`update esims set state = 'cancelled', suspended = false, checked_at = ${at}
    where order_id = ${orderId} ${esimId === undefined ? sql`` : sql`and id = ${esimId}`}`
}

/** Records whether we have the provider keep an eSIM from going online. */
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
