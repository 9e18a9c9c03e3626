/** The events that the app backend reads and is sent. Triggers write most of them: db/migrations/0250-events.sql. */
import { type EventData, type EventType, eventVersion } from '../../policy/events/event-types.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { Events } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'
import type { DataKey } from '../crypto/field-cipher.ts'

export interface StreamEvent {
  position: number
  id: string
  type: EventType
  at: Date
  version: string
  data: EventData
}

/** An event as the API answers it and as it is sent. */
export const eventBody = ({ id, type, at, version, data }: Omit<StreamEvent, 'position'>) => ({
  id,
  type,
  timestamp: at.toISOString(),
  version,
  data,
})

type EventRow = Pick<Events, 'id' | 'position' | 'type' | 'at' | 'account_id' | 'data' | 'erased_account'>

/** Gives positions to the events that were committed. Call it before a read, in no transaction of your own. */
export async function numberEvents(sql: Database): Promise<void> {
  await sql`select number_events()`
}

/** The position before the first event that was recorded at a time or later. */
export const positionBefore = (at: Date): number => at.getTime() * 1000 - 1

/**
 * Numbered events after a position, the oldest first.
 * @param page.types undefined: all of them
 * @param page.endpointId also those that are for this endpoint alone
 */
export async function listEvents(
  sql: Queryable,
  encryption: ColumnEncryption,
  page: { after: number; types?: readonly string[] | undefined; limit: number; endpointId?: string },
): Promise<StreamEvent[]> {
  const { after, types, limit, endpointId } = page
  const rows = await sql<EventRow[]>`
    select id, position, type, at, account_id, data, erased_account from events
    where position > ${after}
      ${types === undefined ? sql`` : sql`and (type = any(${[...types]}) or (type = 'endpoint.ping' and ${endpointId !== undefined}))`}
      ${endpointId === undefined ? sql`` : sql`and (type <> 'endpoint.ping' or data ->> 'endpointId' = ${endpointId})`}
    order by position limit ${limit}`
  return toEvents(sql, encryption, rows)
}

/** Events by their positions, in that order; those that are gone are left out. */
export async function findEvents(
  sql: Queryable,
  encryption: ColumnEncryption,
  positions: readonly number[],
): Promise<StreamEvent[]> {
  const rows = await sql<EventRow[]>`
    select id, position, type, at, account_id, data, erased_account from events
    where position = any(${[...positions]}::bigint[]) order by position`
  return toEvents(sql, encryption, rows)
}

async function toEvents(
  sql: Queryable,
  encryption: ColumnEncryption,
  rows: readonly EventRow[],
): Promise<StreamEvent[]> {
  const erased = rows.some(({ erased_account }) => erased_account !== null)
  const fields = erased && tableEncryption(encryption.cipher, await encryption.dataKeys.system(sql), 'events')
  return rows.flatMap(({ id, position, type, at, account_id, data, erased_account }) => {
    if (position === null) return []
    const accountId = fields && erased_account ? fields.open('erased_account', erased_account) : account_id
    return {
      position: Number(position),
      id,
      type,
      at,
      version: eventVersion,
      data: { ...(accountId !== null && { accountId }), ...data },
    }
  })
}

/**
 * Records in the transaction of an erasure that the account is gone. The app backend knows its customers by this id,
 * and has to delete what it holds (GDPR article 19); no other row has the id any more.
 * @param systemKey the key for data without an account
 */
export async function recordAccountDeleted(
  tx: Transaction,
  { cipher, systemKey }: Pick<ColumnEncryption, 'cipher'> & { systemKey: DataKey },
  { accountId, receiptId }: { accountId: string; receiptId: string },
): Promise<void> {
  const fields = tableEncryption(cipher, systemKey, 'events')
  await tx`insert into events ${tx({
    type: 'account.deleted' satisfies EventType,
    data: tx.json({ receiptId }),
    erased_account: fields.seal('erased_account', accountId),
  })}`
}

/** Records an event for one endpoint alone. */
export async function pingEndpoint(sql: Queryable, endpointId: string): Promise<Omit<StreamEvent, 'position'>> {
  const type = 'endpoint.ping' satisfies EventType
  const data = { endpointId }
  const [row] = await sql<Pick<Events, 'id' | 'at'>[]>`
    insert into events (type, data) values (${type}, ${sql.json(data)}) returning id, at`
  if (!row) throw new Error('an insert has returned nothing')
  return { ...row, type, version: eventVersion, data }
}

/** Deletes a batch of old events. @returns their number; less than `limit` when none are left */
export async function deleteEvents(sql: Queryable, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from events where ctid = any(array(select ctid from events where at < ${before} limit ${limit}))`
  return gone.count
}

/** Deletes the events of an order's statuses, before anybody can have read them. */
export async function deleteStatusEvents(sql: Queryable, orderId: string): Promise<void> {
  await sql`delete from events where type like 'order.%' and data->>'orderId' = ${orderId} and position is null`
}
