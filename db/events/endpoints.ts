/** The webhook endpoints of the app backend. */
import { randomBytes } from 'node:crypto'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { EventStream, WebhookEndpoints } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'
import { numberEvents, positionBefore } from './events.ts'
import { endRecipients, noteRecipient, reopenRecipient, widenRecipients } from './recipients.ts'

export type EndpointRow = WebhookEndpoints

/** Each is sent every event: more of them would only multiply the traffic. */
export const mostEndpoints = 20

/** The operator task of an endpoint that was disabled; closed when it is enabled again or deleted. */
export const disabledEndpointTask = 'webhook_endpoint_disabled'

/** A secret in the form of Standard Webhooks. */
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`

const fieldsOf = async (sql: Queryable, { cipher, dataKeys }: ColumnEncryption) =>
  tableEncryption(cipher, await dataKeys.system(sql), 'webhook_endpoints')

/**
 * Stores an endpoint, which gets the events from now on. One that exists already stays as it is.
 * @returns false when there are as many as there may be
 */
export async function insertEndpoint(
  sql: Database,
  encryption: ColumnEncryption,
  endpoint: { id: string; url: string; types: string[] | null; by: string; at: Date },
): Promise<boolean> {
  const { id, url, types, by, at } = endpoint
  const fields = await fieldsOf(sql, encryption)
  await numberEvents(sql)
  return sql.begin(async (tx) => {
    // The lock of the stream, so that twenty requests at once do not make forty endpoints.
    const [stream] = await tx<Pick<EventStream, 'last_position'>[]>`select last_position from event_stream for update`
    const [known] = await tx<{ others: number; exists: boolean }[]>`
      select count(*)::int as others, coalesce(bool_or(id = ${id}), false) as exists from webhook_endpoints`
    if (known?.exists) return true
    if ((known?.others ?? 0) >= mostEndpoints) return false
    const secret = fields.seal('secret', newSecret())
    await tx`insert into webhook_endpoints (id, url, types, state, created_at, secret, position)
      values (${id}, ${url}, ${types}, 'enabled', ${at}, ${secret}, ${stream?.last_position ?? 0n})`
    await noteRecipient(tx, { endpointId: id, actorId: by, at, receivesSince: at, types })
    return true
  })
}

export async function findEndpoint(sql: Queryable, id: string): Promise<EndpointRow | undefined> {
  const [row] = await sql<EndpointRow[]>`select * from webhook_endpoints where id = ${id}`
  return row
}

/** All endpoints, the oldest first. */
export async function listEndpoints(sql: Queryable): Promise<EndpointRow[]> {
  return sql<EndpointRow[]>`select * from webhook_endpoints order by created_at, id`
}

/** @returns false when there is no such endpoint */
export const deleteEndpoint = (sql: Database, id: string, at: Date): Promise<boolean> =>
  sql.begin(async (tx) => {
    await endRecipients(tx, id, at)
    return (await tx`delete from webhook_endpoints where id = ${id}`).count === 1
  })

/** The secrets by which a delivery is signed: the newest first, and for a day after a rotation the one before. */
export async function secretsOf(
  sql: Queryable,
  encryption: ColumnEncryption,
  row: Pick<EndpointRow, 'secret' | 'previous_secret' | 'previous_until'>,
  at: Date,
): Promise<[string, ...string[]]> {
  const fields = await fieldsOf(sql, encryption)
  const { secret, previous_secret: previous, previous_until: until } = row
  const isPreviousValid = previous !== null && until !== null && until > at
  return [fields.open('secret', secret), ...(isPreviousValid ? [fields.open('previous_secret', previous)] : [])]
}

/**
 * Gives an endpoint a new secret; the present one stays valid for a day. The rotation that made the present secret is
 * not made again.
 * @returns false when there is no such endpoint, or one whose last rotation is younger than that
 */
export async function rotateSecret(
  sql: Database,
  encryption: ColumnEncryption,
  { id, rotationId, at }: { id: string; rotationId: string; at: Date },
): Promise<boolean> {
  const fields = await fieldsOf(sql, encryption)
  return sql.begin(async (tx) => {
    const [row] = await tx<EndpointRow[]>`select * from webhook_endpoints where id = ${id} for update`
    if (row?.rotation_id === rotationId) return true
    if (!row || (row.previous_until !== null && row.previous_until > at)) return false
    const previous = fields.seal('previous_secret', fields.open('secret', row.secret))
    await tx`update webhook_endpoints set secret = ${fields.seal('secret', newSecret())}, rotation_id = ${rotationId},
      previous_secret = ${previous}, previous_until = ${plusMs(at, periods.events.previousSecretMs)} where id = ${id}`
    return true
  })
}

/**
 * Changes an endpoint. Events that it has not taken are sent again at once, after every kind of change.
 * @returns false when there is no such endpoint
 */
export async function changeEndpoint(
  sql: Database,
  id: string,
  change: { url?: string; types?: string[] | null; enabled?: boolean },
  { by, at }: { by: string; at: Date },
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [row] = await tx<EndpointRow[]>`select * from webhook_endpoints where id = ${id} for update`
    if (!row) return false
    const { url, types, enabled } = change
    if (url !== undefined && url !== row.url) {
      const received = { receivesSince: await untakenSince(tx, id, at), types: types === undefined ? row.types : types }
      await tx`update webhook_endpoints set url = ${url} where id = ${id}`
      await noteRecipient(tx, { endpointId: id, actorId: by, at, ...received })
    }
    if (types !== undefined) {
      await tx`update webhook_endpoints set types = ${types} where id = ${id}`
      await widenRecipients(tx, id, { types })
    }
    if (enabled === false) await disable(tx, id, 'asked')
    if (enabled) {
      await tx`update webhook_endpoints set state = 'enabled', disabled_because = null where id = ${id}`
      await reopenRecipient(tx, id, types === undefined ? row.types : types)
    }
    await tx`update webhook_endpoints set failures = 0, retry_at = null where id = ${id}`
    await tx`update event_retries set next_at = least(next_at, ${at}) where endpoint_id = ${id}`
    return true
  })
}

/** Of the oldest event that an endpoint has not taken. */
async function untakenSince(tx: Transaction, id: string, at: Date): Promise<Date> {
  const [row] = await tx<{ since: Date | null }[]>`
    select min(e.at) as since from webhook_endpoints w, events e
    where w.id = ${id} and (e.position is null or e.position > w.position
      or exists (select from event_retries r where r.endpoint_id = w.id and r.event_id = e.id))`
  return row?.since ?? at
}

/** Disables an endpoint. Enabled again, it goes on with the first event that it has not taken. */
export async function disable(
  tx: Transaction,
  id: string,
  because: NonNullable<EndpointRow['disabled_because']>,
): Promise<void> {
  await tx`
    update webhook_endpoints set state = 'disabled', disabled_because = ${because}, failures = 0, retry_at = null,
      position = least(position, (select min(position) - 1 from event_retries where endpoint_id = ${id}))
    where id = ${id} and state = 'enabled'`
  await tx`delete from event_retries where endpoint_id = ${id}`
  await endRecipients(tx, id, new Date())
}

/**
 * Sends the events since a time once more.
 * @returns the number of events that it goes back by, or undefined when there is no such endpoint, or a disabled one
 */
export async function replaySince(sql: Database, id: string, since: Date): Promise<number | undefined> {
  const from = positionBefore(since)
  const [row] = await sql<{ events: number }[]>`
    with before as (select id, position, types from webhook_endpoints where id = ${id} and state = 'enabled' for update),
    replayed as (
      update webhook_endpoints e set position = least(before.position, ${from}::bigint) from before where e.id = before.id)
    select (select count(*)::int from events
      where events.position > ${from} and events.position <= before.position
        and (before.types is null or type = any(before.types))) as events
    from before`
  if (row) await widenRecipients(sql, id, { since })
  return row?.events
}
