/**
 * Seals: what erasure steps still need of an erased person. One row for each erasure is encrypted under a data key of
 * its own. Each part is deleted when its step no longer needs it, and the key with the last part.
 */
import type { Language } from '../../messages/languages.ts'
import { keysOf } from '../../shared/keys-of.ts'
import type { Queryable, Transaction } from '../connection/database.ts'
import type { DeletionSeals } from '../connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from '../crypto/column-encryption.ts'
import type { HeldPlacement } from '../order/placements.ts'
import { readPart } from './sealed-parts.ts'

/** A payment to cancel or refund, with the data that the books need for it. */
export interface PaymentToClose {
  paymentIntentId: string
  /** `watch`: it is refunded, but the refund can still fail; `follow`: it is refunded in part */
  action: 'cancel' | 'refund' | 'watch' | 'follow'
  /** of `follow`: what the customer was to get back of it in all */
  promisedMinor?: number | undefined
  /** of `follow`: what the books say was refunded of it */
  bookedMinor?: number
  /** of `follow`: what was asked for and may not have reached the processor */
  parts?: PartToRefund[]
  /** id of the order facts to settle; null when nothing was paid */
  factId: string | null
  /** the invoice that a credit note has to correct */
  invoiceNumber: string | null
  packageName: string
  destination: string
  quantity: number
  grossMinor: number
  currency: string
  /** ISO 8601 */
  refundedAt: string | null
  /** machine-readable reason why only an operator can go on; null while the step goes on by itself */
  trouble: string | null
}

/** A partial refund of an order that stays delivered. Its key is the processor's idempotency key. */
export interface PartToRefund {
  refundKey: string
  amountMinor: number
  reason: string
}

/** The identifiers of an erased person, which must be found nowhere any more. */
export interface Trace {
  /** all ids of the person's rows; the account's id is the first */
  ids: string[]
  /** blind indexes of the person's orders and eSIMs, hexadecimal */
  blinds: string[]
  /** ids of orders, which are in the workflow ids of runs */
  orderIds: string[]
  /** ids of privacy requests, likewise; missing in seals of earlier versions */
  requestIds?: string[]
  /** ids of changes of address, likewise; among `requestIds` in seals of earlier versions */
  emailChangeIds?: string[]
  /** id of the transaction that erased: a snapshot older than it still sees the person */
  transaction: string
}

export interface DeletionSecrets {
  apple: { refreshToken: string; clientId: string; subjectIndex: string } | null
  google: { refreshToken: string } | null
  firebase: { uid: string } | null
  stripeCustomer: { customerId: string } | null
  settlements: PaymentToClose[] | null
  providerOrders: HeldPlacement[] | null
  /**
   * for the redaction at Stripe; `paymentIntentIds`: also pages, each behind its payment; `job`: the open redaction job
   * with its objects; `setAside`: objects refused for now
   */
  payments: {
    paymentIntentIds: string[]
    customerIds: string[]
    job: { id: string; paymentIntentIds: string[]; customerIds: string[] } | null
    setAside: string[]
    refusals: number
  } | null
  /** seals of earlier versions have no language */
  address: { email: string; language?: Language } | null
  trace: Trace | null
}

export type DeletionPart = keyof DeletionSecrets

type SealColumn = Exclude<keyof DeletionSeals, 'receipt_id'>

const columns: Record<DeletionPart, SealColumn> = {
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
const parts = keysOf(columns)

/** Writes the seal and its data key, in the transaction that erases and in one round trip. */
export async function sealSecrets(
  tx: Transaction,
  encryption: ColumnEncryption,
  receiptId: string,
  secrets: DeletionSecrets,
): Promise<void> {
  const { key, stored } = encryption.dataKeys.make(tx, receiptId)
  const fields = tableEncryption(encryption.cipher, key, 'deletion_seals')
  const sealed = parts.map((part) => {
    const secret = secrets[part]
    return [columns[part], secret === null ? null : fields.seal(columns[part], JSON.stringify(secret))] as const
  })
  const seal = { receipt_id: receiptId, ...Object.fromEntries(sealed) }
  await Promise.all([stored, tx`insert into deletion_seals ${tx(seal)}`])
}

/** Decrypts a part. @returns null when the part was deleted or never existed @throws UnreadablePart */
export async function openSecret<Part extends DeletionPart>(
  sql: Queryable,
  encryption: ColumnEncryption,
  receiptId: string,
  part: Part,
): Promise<NonNullable<DeletionSecrets[Part]> | null> {
  const column: SealColumn = columns[part]
  const key = await findDataKey(sql, encryption, receiptId)
  const [row] = await sql<{ sealed: DeletionSeals[SealColumn] }[]>`
    select ${sql(column)} as sealed from deletion_seals where receipt_id = ${receiptId}`
  if (!key || !row?.sealed) return null
  const text = tableEncryption(encryption.cipher, key, 'deletion_seals').open(column, row.sealed)
  return readPart(part, text)
}

/** The payments of persons who were erased in the last 90 days, one person after the other. */
export async function* openPayments(sql: Queryable, encryption: ColumnEncryption): AsyncGenerator<string[]> {
  for (const receiptId of await listSealsWithPayments(sql)) yield paymentsInSeal(sql, encryption, receiptId)
}

/** The receipts of persons who were erased in the last 90 days and have paid for something. */
export async function listSealsWithPayments(sql: Queryable): Promise<string[]> {
  const rows = await sql<Pick<DeletionSeals, 'receipt_id'>[]>`
    select receipt_id from deletion_seals where payments is not null or settlements is not null order by receipt_id`
  return rows.map(({ receipt_id: receiptId }) => receiptId)
}

/** The payments of one of them. */
export async function paymentsInSeal(
  sql: Queryable,
  encryption: ColumnEncryption,
  receiptId: string,
): Promise<string[]> {
  const payments = await openSecret(sql, encryption, receiptId, 'payments')
  const settlements = await openSecret(sql, encryption, receiptId, 'settlements')
  return [
    ...(payments?.paymentIntentIds ?? []),
    ...(payments?.job?.paymentIntentIds ?? []),
    ...(payments?.setAside ?? []),
    ...(settlements ?? []).map(({ paymentIntentId }) => paymentIntentId),
  ]
}

/** Replaces a part by what its step still needs. */
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

/** Whether a seal with its data key exists. It is false when every part was deleted, or when a restore lost the row. */
export async function hasSeal(sql: Queryable, receiptId: string): Promise<boolean> {
  const rows = await sql`
    select 1 from deletion_seals join data_keys on account_id = receipt_id where receipt_id = ${receiptId}`
  return rows.length > 0
}

/** Deletes a part. */
export async function deleteSecret(sql: Queryable, receiptId: string, part: DeletionPart): Promise<void> {
  await sql`update deletion_seals set ${sql({ [columns[part]]: null })} where receipt_id = ${receiptId}`
}

/**
 * Deletes the person's ids once neither our tables nor Temporal are searched for them: an operator who deletes rows of
 * Temporal's list has their run ids.
 */
export async function deleteTraceUnlessNeeded(sql: Queryable, receiptId: string): Promise<void> {
  await sql`update deletion_seals set trace = null where receipt_id = ${receiptId} and not exists (
    select from deletion_steps s where s.receipt_id = ${receiptId}
      and ((s.processor = 'database' and s.state in ('pending', 'needs_operator'))
        or (s.processor = 'temporal' and s.state = 'pending')))`
}

/** Whether the seal has one of these parts. */
export async function hasAnyPart(sql: Queryable, receiptId: string, of: readonly DeletionPart[]): Promise<boolean> {
  const rows = await sql`select 1 from deletion_seals where receipt_id = ${receiptId}
    and num_nonnulls(${sql(of.map((part) => columns[part]))}) > 0`
  return rows.length > 0
}

/** Deletes the seal and its data key once no part is left. @returns whether the seal is gone */
export async function deleteEmptySeal(tx: Transaction, receiptId: string): Promise<boolean> {
  await tx`delete from deletion_seals where receipt_id = ${receiptId}
    and num_nonnulls(${tx(Object.values(columns))}) = 0`
  const left = await tx`select 1 from deletion_seals where receipt_id = ${receiptId}`
  if (left.length > 0) return false
  await deleteSeal(tx, receiptId)
  return true
}

/** Deletes the seal with all its parts, and its data key. */
export async function deleteSeal(tx: Transaction, receiptId: string): Promise<void> {
  await tx`delete from deletion_seals where receipt_id = ${receiptId}`
  await tx`delete from data_keys where account_id = ${receiptId}`
}
