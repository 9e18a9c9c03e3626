/** The next event for each endpoint, and the outcome of its delivery. */
import type { Database, Queryable } from '../connection/database.ts'
import type { EventRetries, EventStream } from '../connection/schema.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { disable, type EndpointRow } from './endpoints.ts'
import { listEvents, numberEvents } from './events.ts'

/** From so many failures in a row on, an endpoint counts as down: one event at a time is tried. */
export const downAfterFailures = 3

export type RetryRow = EventRetries

/** Enabled endpoints that are not down, not claimed, and behind the stream. */
export async function endpointsBehind(sql: Queryable, at: Date): Promise<string[]> {
  const rows = await sql<Pick<EndpointRow, 'id'>[]>`
    select id from webhook_endpoints e
    where state = 'enabled' and failures < ${downAfterFailures} and (claimed_until is null or claimed_until < ${at})
      and (exists (select from events where events.position > e.position)
        or exists (select from events where events.position is null))`
  return rows.map(({ id }) => id)
}

/**
 * Claims an endpoint for one worker. @returns undefined when another worker has it, or when nothing can be sent to it
 */
export async function claimEndpoint(
  sql: Queryable,
  id: string,
  claim: { at: Date; until: Date },
): Promise<EndpointRow | undefined> {
  const [row] = await sql<EndpointRow[]>`
    update webhook_endpoints set claimed_until = ${claim.until}
    where id = ${id} and state = 'enabled' and failures < ${downAfterFailures}
      and (claimed_until is null or claimed_until < ${claim.at})
    returning *`
  return row
}

/** Gives an endpoint up for the next sender, before the claim ends by itself. */
export async function releaseEndpoint(sql: Queryable, id: string): Promise<void> {
  await sql`update webhook_endpoints set claimed_until = null where id = ${id}`
}

/** The end of the stream, after which nothing is numbered yet. */
export async function lastPosition(sql: Queryable): Promise<number> {
  const [row] = await sql<Pick<EventStream, 'last_position'>[]>`select last_position from event_stream`
  return Number(row?.last_position ?? 0)
}

export interface Attempts {
  delivered: readonly number[]
  failed: readonly number[]
  /** how many of the failed ones the endpoint has answered with a refusal: that does not make it one that is down */
  refused: number
  /** how the newest of them failed */
  code?: string | undefined
  /** the endpoint has asked for a pause until then */
  pausedUntil?: Date | undefined
}

/**
 * Records first attempts, and moves the endpoint on. A replay that has moved it back meanwhile is kept.
 * @returns the endpoint as it is now, claimed until `claimedUntil`; undefined when it is gone or disabled
 */
export async function recordFirstAttempts(
  sql: Database,
  endpoint: EndpointRow,
  attempts: Attempts & { upTo: number; at: Date; retryAt: Date; claimedUntil: Date },
): Promise<EndpointRow | undefined> {
  const { failed, upTo, at, retryAt, claimedUntil } = attempts
  return sql.begin(async (tx) => {
    for (const position of failed) {
      // An event that is gone was one of an erased account; one that an erasure is deleting is waited for.
      await tx`insert into event_retries (endpoint_id, event_id, position, attempts, first_at, next_at)
        select e.id, events.id, events.position, 1, ${at}, ${retryAt} from webhook_endpoints e, events
        where e.id = ${endpoint.id} and e.state = 'enabled' and events.position = ${position}
        for key share
        on conflict (endpoint_id, event_id) do nothing`
    }
    await countAttempts(tx, endpoint.id, { ...attempts, retryAt })
    const [row] = await tx<EndpointRow[]>`
      update webhook_endpoints set claimed_until = ${claimedUntil},
        position = case when position = ${endpoint.position} then ${upTo}::bigint else position end
      where id = ${endpoint.id} and state = 'enabled' returning *`
    return row
  })
}

/** Records what came of attempts in an endpoint's row. Failures of one batch are at most one reason to call it down. */
export async function countAttempts(
  sql: Queryable,
  endpointId: string,
  { delivered, failed, refused, code, pausedUntil, at, retryAt }: Attempts & { at: Date; retryAt: Date },
): Promise<void> {
  if (delivered.length === 0 && failed.length === 0) return
  const paused = pausedUntil !== undefined
  const isUp = delivered.length > 0 || refused === failed.length
  await sql`update webhook_endpoints set
      delivered_at = ${delivered.length > 0 ? at : sql`delivered_at`},
      failed_at = ${failed.length > 0 ? at : sql`failed_at`},
      code = ${failed.length > 0 ? (code ?? null) : sql`code`},
      failures = case
        when ${paused} then greatest(failures + 1, ${downAfterFailures})
        when ${isUp} then 0
        else least(failures + ${failed.length - refused}, greatest(failures + 1, ${downAfterFailures})) end,
      retry_at = ${pausedUntil ?? (isUp ? null : retryAt)}
    where id = ${endpointId}`
}

/** Due events that an endpoint has not taken, the most overdue first. */
export async function dueRetries(
  sql: Queryable,
  endpointId: string,
  { at, limit }: { at: Date; limit: number },
): Promise<RetryRow[]> {
  return sql<RetryRow[]>`select * from event_retries where endpoint_id = ${endpointId} and next_at <= ${at}
    order by next_at, position limit ${limit}`
}

/**
 * Puts the next event of the stream, which has not been tried yet, among those that wait for an endpoint that is down:
 * it may fail at those which it has had, and take all others.
 */
export async function queueNext(
  sql: Database,
  encryption: ColumnEncryption,
  endpointId: string,
  at: Date,
): Promise<void> {
  await numberEvents(sql)
  await sql.begin(async (tx) => {
    const [endpoint] = await tx<EndpointRow[]>`
      select * from webhook_endpoints where id = ${endpointId} and state = 'enabled' for update`
    if (!endpoint) return
    const types = endpoint.types ?? undefined
    const [next] = await listEvents(tx, encryption, { after: Number(endpoint.position), types, limit: 1, endpointId })
    if (!next) return
    await tx`insert into event_retries (endpoint_id, event_id, position, attempts, first_at, next_at)
      select ${endpointId}, id, position, 0, ${at}, ${at} from events where id = ${next.id} for key share
      on conflict (endpoint_id, event_id) do nothing`
    await tx`update webhook_endpoints set position = ${next.position} where id = ${endpointId}`
  })
}

/**
 * The event by which an endpoint that is down is tried: the one with the fewest attempts, since an event that it always
 * refuses would hide that it is back.
 */
export async function leastTriedRetry(sql: Queryable, endpointId: string): Promise<RetryRow | undefined> {
  const [row] = await sql<RetryRow[]>`select * from event_retries where endpoint_id = ${endpointId}
    order by attempts, next_at, position limit 1`
  return row
}

/** Since when an endpoint has not taken something, and when something is due next; null when nothing waits for it. */
export async function retryTimes(
  sql: Queryable,
  endpointId: string,
): Promise<{ since: Date | null; nextAt: Date | null }> {
  const [row] = await sql<{ since: Date | null; next_at: Date | null }[]>`
    select min(first_at) as since, min(next_at) as next_at from event_retries where endpoint_id = ${endpointId}`
  return { since: row?.since ?? null, nextAt: row?.next_at ?? null }
}

/** How many events an endpoint has not taken, and is sent again. */
export async function countRetries(sql: Queryable, endpointId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from event_retries where endpoint_id = ${endpointId}`
  return row?.count ?? 0
}

/** Records another attempt that failed. */
export async function postponeRetry(
  sql: Queryable,
  { endpoint_id, event_id }: Pick<RetryRow, 'endpoint_id' | 'event_id'>,
  nextAt: Date,
): Promise<void> {
  await sql`update event_retries set attempts = attempts + 1, next_at = ${nextAt}
    where endpoint_id = ${endpoint_id} and event_id = ${event_id}`
}

/** Deletes a retry: the event has arrived, or is given up. */
export async function endRetry(
  sql: Queryable,
  { endpoint_id, event_id }: Pick<RetryRow, 'endpoint_id' | 'event_id'>,
): Promise<void> {
  await sql`delete from event_retries where endpoint_id = ${endpoint_id} and event_id = ${event_id}`
}

/** Has everything that waits for an endpoint tried now: it answers again. */
export async function retryAllNow(sql: Queryable, endpointId: string, at: Date): Promise<void> {
  await sql`update event_retries set next_at = least(next_at, ${at}) where endpoint_id = ${endpointId}`
}

/**
 * After a restore: has whatever waits for any endpoint tried at once. The run that would try it may have ended since the
 * dump, and is not missed before its attempt is overdue, which for an endpoint that is down is hours later.
 */
export async function retryEverywhereNow(tx: Queryable, at: Date): Promise<void> {
  await tx`update event_retries set next_at = ${at} where next_at > ${at}`
  await tx`update webhook_endpoints set retry_at = ${at} where retry_at > ${at}`
}

/** An endpoint no longer counts as down. */
export async function trustAgain(sql: Queryable, endpointId: string): Promise<void> {
  await sql`update webhook_endpoints set failures = 0, retry_at = null where id = ${endpointId}`
}

/** Disables an endpoint that does not answer, or that is gone. */
export async function giveUpEndpoint(sql: Database, endpointId: string, because: 'failing' | 'gone'): Promise<void> {
  await sql.begin((tx) => disable(tx, endpointId, because))
}

/** Endpoints whose next attempt is overdue: they have no run. One that is down may have nothing waiting. */
export async function forgottenRetries(sql: Queryable, before: Date): Promise<string[]> {
  const rows = await sql<Pick<EndpointRow, 'id'>[]>`
    select id from webhook_endpoints e where state = 'enabled'
      and case when failures >= ${downAfterFailures} then coalesce(retry_at, '-infinity')
        else (select min(next_at) from event_retries r where r.endpoint_id = e.id) end < ${before}`
  return rows.map(({ id }) => id)
}
