/**
 * What third parties must still be told about an erased person: one row per erasure, encrypted under a data key of its
 * own, emptied part by part. No part outlives its purpose, and with the key the rest goes as well.
 */
import type { Queryable, Transaction } from '../connection/database.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from '../crypto/column-encryption.ts'

/** A payment that has to be closed or given back, with what the books need to know of it. */
export interface PaymentToClose {
  paymentIntentId: string
  /** `watch`: refunded, but a refund can still bounce */
  action: 'cancel' | 'refund' | 'watch'
  /** the order facts to settle; null while nothing was paid */
  factId: string | null
  /** to be corrected by a credit note */
  invoiceNumber: string | null
  packageName: string
  destination: string
  quantity: number
  grossMinor: number
  currency: string
  /** ISO 8601 */
  refundedAt: string | null
  /** why only an operator can go on */
  trouble: string | null
}

/** What a provider holds for an order that its customer never got; see activities/order/provider-returns.ts. */
export interface SealedPlacement {
  provider: string
  clientRef: string
  packageCode: string
  quantity: number
  days: number | null
  orderNo: string | null
  placedAfter: string
  esimRefs: string[] | null
}

/** Identifiers that must be found nowhere any more. */
export interface Trace {
  /** the account's own is the first */
  ids: string[]
  /** keyed hashes of what only these orders had, hex */
  blinds: string[]
  /** also names of runs in Temporal */
  orderIds: string[]
  /** the same; seals from before there was such a list have none */
  requestIds?: string[]
  /** changes of address, the same; older seals have them among the requests */
  emailChangeIds?: string[]
  /** the erasing transaction: whoever still looks at the database as it was before sees the person */
  transaction: string
}

export interface DeletionSecrets {
  apple: { refreshToken: string; clientId: string; subjectIndex: string } | null
  google: { refreshToken: string } | null
  firebase: { uid: string } | null
  stripeCustomer: { customerId: string } | null
  settlements: PaymentToClose[] | null
  providerOrders: SealedPlacement[] | null
  /** for the redaction at Stripe; `job`: the one under way, and what it is about; `setAside`: refused for now */
  payments: {
    paymentIntentIds: string[]
    customerIds: string[]
    job: { id: string; paymentIntentIds: string[]; customerIds: string[] } | null
    setAside: string[]
    refusals: number
  } | null
  address: { email: string } | null
  trace: Trace | null
}

export type DeletionPart = keyof DeletionSecrets

const columns: Record<DeletionPart, string> = {
  apple: 'apple',
  google: 'google',
  firebase: 'firebase',
  stripeCustomer: 'stripe_customer',
  settlements: 'settlements',
  providerOrders: 'provider_orders',
  payments: 'payments',
  address: 'address',
  trace: 'trace',
}
const parts = Object.keys(columns) as DeletionPart[]

/** Makes the row and its data key, in the transaction that erases. */
export async function sealSecrets(
  tx: Transaction,
  encryption: ColumnEncryption,
  receiptId: string,
  secrets: DeletionSecrets,
): Promise<void> {
  const fields = tableEncryption(encryption.cipher, await encryption.dataKeys.create(tx, receiptId), 'deletion_seals')
  const sealed = parts.map((part) => {
    const secret = secrets[part]
    return [columns[part], secret === null ? null : fields.seal(columns[part], JSON.stringify(secret))] as const
  })
  await tx`insert into deletion_seals ${tx({ receipt_id: receiptId, ...Object.fromEntries(sealed) })}`
}

/** Null when the part was wiped, or never was. */
export async function openSecret<Part extends DeletionPart>(
  sql: Queryable,
  encryption: ColumnEncryption,
  receiptId: string,
  part: Part,
): Promise<DeletionSecrets[Part]> {
  const column: string = columns[part]
  const key = await findDataKey(sql, encryption, receiptId)
  const [row] = await sql<{ sealed: Buffer | null }[]>`
    select ${sql(column)} as sealed from deletion_seals where receipt_id = ${receiptId}`
  if (!key || !row?.sealed) return null
  const text = tableEncryption(encryption.cipher, key, 'deletion_seals').open(column, row.sealed)
  return JSON.parse(text) as DeletionSecrets[Part]
}

/** Keeps what is left to do of a part. */
export async function resealSecret<Part extends DeletionPart>(
  sql: Queryable,
  encryption: ColumnEncryption,
  receiptId: string,
  part: Part,
  secret: NonNullable<DeletionSecrets[Part]>,
): Promise<void> {
  const key = await encryption.dataKeys.get(sql, receiptId)
  const sealed = tableEncryption(encryption.cipher, key, 'deletion_seals').seal(columns[part], JSON.stringify(secret))
  await sql`update deletion_seals set ${sql({ [columns[part]]: sealed })} where receipt_id = ${receiptId}`
}

/** False when the row was lost, or everything in it is done. */
export async function hasSeal(sql: Queryable, receiptId: string): Promise<boolean> {
  const rows = await sql`
    select 1 from deletion_seals join data_keys on account_id = receipt_id where receipt_id = ${receiptId}`
  return rows.length > 0
}

/** Forgets a part for good. */
export async function wipeSecret(sql: Queryable, receiptId: string, part: DeletionPart): Promise<void> {
  await sql`update deletion_seals set ${sql({ [columns[part]]: null })} where receipt_id = ${receiptId}`
}

/** Removes the row and its data key once every part is wiped; true when nothing is left. */
export async function dropEmptySeal(tx: Transaction, receiptId: string): Promise<boolean> {
  await tx`delete from deletion_seals where receipt_id = ${receiptId}
    and num_nonnulls(${tx(Object.values(columns))}) = 0`
  const left = await tx`select 1 from deletion_seals where receipt_id = ${receiptId}`
  if (left.length > 0) return false
  await dropSeal(tx, receiptId)
  return true
}

/** Removes the row with whatever is in it, and its data key. */
export async function dropSeal(tx: Transaction, receiptId: string): Promise<void> {
  await tx`delete from deletion_seals where receipt_id = ${receiptId}`
  await tx`delete from data_keys where account_id = ${receiptId}`
}
