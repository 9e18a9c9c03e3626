/** Who had events sent to an endpoint, for the breach that its key may turn out to be. */
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { EventRecipients, WebhookEndpoints } from '../connection/schema.ts'

/** Records that a key has given an endpoint its address. @param receivesSince of the oldest event that is sent there */
export async function noteRecipient(
  tx: Transaction,
  recipient: { endpointId: string; actorId: string; at: Date; receivesSince: Date; types: readonly string[] | null },
): Promise<void> {
  const { endpointId, actorId, at, receivesSince, types } = recipient
  await endRecipients(tx, endpointId, at)
  await tx`insert into event_recipients (endpoint_id, actor_id, made_at, told_since, types)
    values (${endpointId}, ${actorId}, ${at}, ${receivesSince}, ${types === null ? null : [...types]})`
}

/** Records that an endpoint is sent nothing more. */
export async function endRecipients(sql: Queryable, endpointId: string, at: Date): Promise<void> {
  await sql`update event_recipients set told_until = ${at} where endpoint_id = ${endpointId} and told_until is null`
}

/**
 * Records that a disabled endpoint goes on with what it has not taken.
 * @param types that it is sent now: they may have been changed while it was disabled
 */
export async function reopenRecipient(
  sql: Queryable,
  endpointId: string,
  types: readonly string[] | null,
): Promise<void> {
  const [last] = await sql<Pick<EventRecipients, 'id'>[]>`
    select id from event_recipients where endpoint_id = ${endpointId} order by made_at desc, id limit 1`
  if (!last) return
  await sql`update event_recipients set told_until = null where id = ${last.id} and told_until is not null`
  await widenRecipients(sql, endpointId, { types })
}

/** Records that an endpoint is sent older events, or other types, as well. @param widened null: all types */
export async function widenRecipients(
  sql: Queryable,
  endpointId: string,
  widened: { since: Date } | { types: readonly string[] | null },
): Promise<void> {
  const change =
    'since' in widened
      ? sql`told_since = least(told_since, ${widened.since}::timestamptz)`
      : sql`types = case when types is null or ${widened.types === null} then null
          else array(select distinct unnest(types || ${[...(widened.types ?? [])]}::text[]) order by 1) end`
  await sql`update event_recipients set ${change} where endpoint_id = ${endpointId} and told_until is null`
}

/** The endpoints that are sent events at an address which a key has given them. */
export const listEndpointsOfKey = (sql: Queryable, keyId: string): Promise<Pick<WebhookEndpoints, 'id' | 'url'>[]> =>
  sql<Pick<WebhookEndpoints, 'id' | 'url'>[]>`
    select w.id, w.url from event_recipients r join webhook_endpoints w on w.id = r.endpoint_id
    where r.actor_id = ${keyId} and r.told_until is null order by w.created_at, w.id`

/** Deletes recipients that were sent nothing since. @returns their number */
export async function deleteRecipients(sql: Database, before: Date): Promise<number> {
  return (await sql`delete from event_recipients where told_until < ${before}`).count
}
