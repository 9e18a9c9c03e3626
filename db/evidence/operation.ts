/** Figures that operators need at once: backups, open operator tasks, and orders that wait for an eSIM provider. */
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { Attention } from '../connection/schema.ts'
import { daysLeft, listNewestReadings } from '../reconciliation/balances.ts'

export interface OperationFigures {
  /** seconds since the newest backup that the store holds was begun; without one, since the first account */
  backupAgeSeconds: number
  /**
   * open operator tasks by their kind, with the age of the oldest, and the time until the earliest due date if any has
   * one
   */
  tasks: { kind: string; open: number; oldestSeconds: number; dueInSeconds: number | null }[]
  /** paid orders without their eSIMs, with the time since the payment or approval of the oldest */
  waitingOrders: { open: number; oldestSeconds: number }
  /** seconds since the newest complete reconciliation was begun; without one, since the first account */
  reconciliationAgeSeconds: number
  /** seconds since the oldest event that an enabled webhook endpoint has not got; and how many endpoints have failed */
  events: { lagSeconds: number; failedEndpoints: number }
  /** how long the prepaid balance at each eSIM provider lasts; null when nothing is spent */
  providerBalances: { provider: string; daysLeft: number | null }[]
}

/** @param asOf the time against which ages are counted */
export async function readOperationFigures(sql: Queryable, asOf: Date): Promise<OperationFigures> {
  const ageOf = (since: Date | null | undefined): number =>
    since ? Math.max(0, (asOf.getTime() - since.getTime()) / 1000) : 0
  const [backup] = await sql<{ since: Date | null }[]>`
    select coalesce(
      (select newest_at from backup_store),
      (select min(created_at) from accounts)) as since`
  const tasks = await sql<(Pick<Attention, 'kind'> & { open: number; oldest: Date; due: Date | null })[]>`
    select kind, count(*)::int as open, min(opened_at) as oldest, min(due_at) as due from attention where resolved_at is null group by kind`
  const [waiting] = await sql<{ open: number; oldest: Date | null }[]>`
    select count(*)::int as open,
      min(greatest(deliver_by - ${periods.order.deliverWithinMs} * interval '1 millisecond', paid_at)) as oldest
    from orders where status = 'provisioning'`
  const [reconciled] = await sql<{ since: Date | null }[]>`
    select coalesce(
      (select max(started_at) from reconciliations where state = 'complete'),
      (select min(created_at) from accounts)) as since`
  const [events] = await sql<{ oldest: Date | null; failed: number }[]>`
    select min(least(
        (select min(at) from event_retries r join events on events.id = r.event_id where r.endpoint_id = e.id),
        (select at from events where events.position > e.position order by events.position limit 1))
      ) filter (where state = 'enabled') as oldest,
      count(*) filter (where disabled_because in ('failing', 'gone'))::int as failed
    from webhook_endpoints e`
  const readings = await listNewestReadings(sql, plusMs(asOf, -periods.reconciliation.spendingOverMs))
  return {
    events: { lagSeconds: ageOf(events?.oldest), failedEndpoints: events?.failed ?? 0 },
    reconciliationAgeSeconds: ageOf(reconciled?.since),
    providerBalances: readings.map((reading) => ({ provider: reading.newest.provider, daysLeft: daysLeft(reading) })),
    backupAgeSeconds: ageOf(backup?.since),
    tasks: tasks.map(({ kind, open, oldest, due }) => ({
      kind,
      open,
      oldestSeconds: ageOf(oldest),
      dueInSeconds: due && (due.getTime() - asOf.getTime()) / 1000,
    })),
    waitingOrders: { open: waiting?.open ?? 0, oldestSeconds: ageOf(waiting?.oldest) },
  }
}
