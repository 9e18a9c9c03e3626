/**
 * Whether calls to each outside party are answered, as all processes together have seen it. An outage begins when calls
 * have failed for `outageAfterMs` with no answer between, and ends with the next answer. It has one operator task.
 */
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Database, Queryable } from '../connection/database.ts'
import type { OutsideParties } from '../connection/schema.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../operator-tasks.ts'

const outageTask = 'outage'

const outageAfterMs = 5 * milliseconds.minute
/**
 * Work that waits for a party is repeated at least every hour. Failures further apart are two faults; and when no call
 * has failed for so long, nothing waits for the party any more.
 */
const silentAfterMs = 2 * milliseconds.hour

/** Records a failed call, and opens the outage when calls have failed for long enough. */
export async function recordFailedCall(
  sql: Database,
  { party, code, at }: { party: string; code: string; at: Date },
): Promise<void> {
  const [row] = await sql<Pick<OutsideParties, 'failing_since' | 'down_since'>[]>`
    insert into outside_parties as p (party, failing_since, last_failed_at, code)
    values (${party}, ${at}, ${at}, ${code})
    on conflict (party) do update set
      failing_since = case when p.last_failed_at >= ${plusMs(at, -silentAfterMs)} then p.failing_since else ${at} end,
      last_failed_at = greatest(p.last_failed_at, excluded.last_failed_at),
      code = excluded.code
    where p.answered_at is null or p.answered_at < excluded.last_failed_at
    returning failing_since, down_since`
  const since = row?.failing_since
  if (!since || row.down_since || at.getTime() - since.getTime() < outageAfterMs) return
  await sql.begin(async (tx) => {
    const opened = await tx`
      update outside_parties set down_since = failing_since
      where party = ${party} and down_since is null and failing_since = ${since}`
    if (opened.count === 1) await raiseOperatorTask(tx, { kind: outageTask, subjectId: party, detail: code, at: since })
  })
}

/** Records an answer, which ends an outage. @returns how long the outage lasted, if it ended one */
export async function recordAnsweredCall(
  sql: Database,
  { party, at }: { party: string; at: Date },
): Promise<{ lastedMs: number } | undefined> {
  const [row] = await sql<Pick<OutsideParties, 'failing_since'>[]>`
    insert into outside_parties as p (party, answered_at) values (${party}, ${at})
    on conflict (party) do update set answered_at = greatest(p.answered_at, excluded.answered_at)
    returning failing_since`
  return row?.failing_since && row.failing_since < at ? endFailing(sql, party, at, 'recovered') : undefined
}

/**
 * Ends outages of parties that have not been called for long: nothing waits for them, and no answer will end the
 * outage.
 */
export async function endSilentOutages(sql: Database, at: Date): Promise<void> {
  const silent = await sql<Pick<OutsideParties, 'party'>[]>`
    select party from outside_parties
    where down_since is not null and last_failed_at < ${plusMs(at, -silentAfterMs)}`
  for (const { party } of silent) await endFailing(sql, party, at, 'not_called')
}

async function endFailing(
  sql: Database,
  party: string,
  at: Date,
  how: 'recovered' | 'not_called',
): Promise<{ lastedMs: number } | undefined> {
  return sql.begin(async (tx) => {
    const [row] = await tx<OutsideParties[]>`
      select * from outside_parties where party = ${party} and failing_since < ${at} for update`
    if (!row?.last_failed_at) return undefined
    // A call that failed after this answer begins a new count.
    const failedSince = row.last_failed_at > at ? row.last_failed_at : null
    await tx`update outside_parties set failing_since = ${failedSince}, last_failed_at = ${failedSince}, down_since = null,
        code = ${failedSince && row.code}
      where party = ${party}`
    if (!row.down_since) return undefined
    const until = how === 'recovered' ? at : row.last_failed_at
    const lastedMs = until.getTime() - row.down_since.getTime()
    const task = { kind: outageTask, subjectId: party }
    const detail = `${row.code ?? 'unknown'}, lasted ${lastingOf(lastedMs)}${how === 'not_called' ? ' or longer' : ''}`
    await resolveOperatorTask(tx, { ...task, by: how, at, detail })
    return { lastedMs }
  })
}

const lastingOf = (ms: number): string => {
  const minutes = Math.round(ms / milliseconds.minute)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

export interface Outage {
  party: string
  since: Date
  code: string
  /** open orders that cannot go on without the party; null for a party that no order waits for */
  ordersWaiting: number | null
}

/** The outages of now, the oldest first. */
export async function listOutages(sql: Queryable): Promise<Outage[]> {
  const rows = await sql<OutsideParties[]>`
    select * from outside_parties where down_since is not null order by down_since, party`
  return Promise.all(
    rows.map(async ({ party, down_since: since, code }) => ({
      party,
      since: since ?? new Date(0),
      code: code ?? 'unknown',
      ordersWaiting: await countOrdersWaiting(sql, party),
    })),
  )
}

/** Writes into the task of each outage how many orders wait for the party now. */
export async function noteOrdersWaiting(sql: Database): Promise<void> {
  for (const { party, ordersWaiting } of await listOutages(sql)) {
    if (ordersWaiting === null) continue
    const attributes = sql.json({ ordersWaiting })
    await sql`update attention set attributes = ${attributes}
      where kind = ${outageTask} and subject_id = ${party} and resolved_at is null
        and attributes is distinct from ${attributes}::jsonb`
  }
}

async function countOrdersWaiting(sql: Queryable, party: string): Promise<number | null> {
  const [row] = await (() => {
    if (esimProviderIds.some((id) => id === party)) {
      // The provider has been asked for the order and has not refused it, or may be asked next.
      return sql<{ count: number }[]>`
        select count(*)::int as count from orders o where o.status = 'provisioning' and (
          exists (select from provider_orders p where p.order_id = o.id and p.provider = ${party}
            and p.state in ('placing', 'placed'))
          or not exists (select from provider_orders p where p.order_id = o.id
              and (p.state in ('placing', 'placed', 'provided') or p.provider = ${party}))
            and exists (select from package_offers f
              where f.package_code = o.package_code and f.provider = ${party} and f.available))`
    }
    switch (party) {
      case 'stripe':
        return sql<{ count: number }[]>`
          select count(*)::int as count from orders where status in ('awaiting_payment', 'refunding')`
      case 'smtp':
      case 'fcm':
        return sql<{ count: number }[]>`
          select count(distinct s.subject_id)::int as count from sends s join orders o on o.id = s.subject_id
          where s.state in ('due', 'sending') and s.kind like ${party === 'smtp' ? 'mail:%' : 'push:%'}`
      default:
        return [{ count: null }]
    }
  })()
  return row?.count ?? null
}
