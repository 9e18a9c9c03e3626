/** The state of outside parties, mails, webhooks, backups and keys, read together. */
import { milliseconds } from '../../policy/periods.ts'
import { dayOf, plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { BackupStore, OutsideParties, WebhookEndpoints, WebhookEvents } from '../connection/schema.ts'
import { type KnownKey, listKeys } from '../crypto/encryption-keys.ts'

export interface ServiceState {
  parties: Pick<OutsideParties, 'party' | 'answered_at' | 'failing_since' | 'down_since' | 'code'>[]
  /** of the last day; `waiting`: of all times */
  mails: { sent: number; failed: number; waiting: number; oldestWaiting: Date | null }
  /** the day (UTC) of the last event of each sender, and how many came today */
  webhooks: { source: string; last: Date; today: number }[]
  /**
   * where the app backend has events sent; `waiting`: events that it has not taken, `untaken_since`: the oldest of them
   */
  endpoints: (Pick<WebhookEndpoints, 'id' | 'url' | 'state' | 'disabled_because' | 'delivered_at' | 'code'> & {
    waiting: number
    untaken_since: Date | null
  })[]
  /** undefined before the store was read for the first time */
  backups: Pick<BackupStore, 'read_at' | 'files' | 'newest_at' | 'oldest_at'> | undefined
  /** the keys in use */
  keys: KnownKey[]
}

export async function readServiceState(sql: Queryable, asOf: Date): Promise<ServiceState> {
  const since = plusMs(asOf, -milliseconds.day)
  const [parties, mails, webhooks, endpoints, backups, keys] = await Promise.all([
    sql<ServiceState['parties']>`
      select party, answered_at, failing_since, down_since, code from outside_parties order by party`,
    sql<{ sent: number; failed: number; waiting: number; oldest: Date | null }[]>`
      select count(*) filter (where state = 'sent' and done_at >= ${since})::int as sent,
        count(*) filter (where state = 'failed' and done_at >= ${since})::int as failed,
        count(*) filter (where state in ('due', 'sending'))::int as waiting,
        min(first_at) filter (where state in ('due', 'sending')) as oldest
      from sends where kind like 'mail:%' and (done_at >= ${since} or state in ('due', 'sending'))`,
    sql<(Pick<WebhookEvents, 'source'> & { last: Date; count: number })[]>`
      select source, max(received_at) as last, count(*) filter (where received_at >= ${dayOf(asOf)})::int as count
      from webhook_events group by source order by source`,
    sql<ServiceState['endpoints']>`
      select w.id, w.url, w.state, w.disabled_because, w.delivered_at, w.code,
        count(r.event_id)::int as waiting, min(r.first_at) as untaken_since
      from webhook_endpoints w left join event_retries r on r.endpoint_id = w.id
      group by w.id order by w.created_at, w.id`,
    sql<BackupStore[]>`select * from backup_store`,
    listKeys(sql),
  ])
  const [mail] = mails
  return {
    parties,
    mails: {
      sent: mail?.sent ?? 0,
      failed: mail?.failed ?? 0,
      waiting: mail?.waiting ?? 0,
      oldestWaiting: mail?.oldest ?? null,
    },
    webhooks: webhooks.map(({ source, last, count }) => ({ source, last, today: count })),
    endpoints,
    backups: backups[0],
    keys: keys.filter(({ retiredAt }) => retiredAt === null),
  }
}
