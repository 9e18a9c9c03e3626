/**
 * N1 and N2, a material change of the policy is posted, and mailed at least 30 days before: figures which show that one
 * version is in force, and that every account got its notice in time.
 */
import type { Readings } from '../../policy/figures.ts'
import { periods } from '../../policy/periods.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'
import type { Policies } from '../connection/schema.ts'

/** Only the most recently active accounts are counted, since an index finds them. */
const countedAccounts = 10_000

export async function readPolicyFigures(sql: Queryable): Promise<Readings> {
  const ahead = `${periods.policyNotice.beforeEffectDays} days`
  const [held, coming, short, unnotified] = await Promise.all([
    sql<{ count: number }[]>`select count(*)::int as count from policies where state = 'in_force'`,
    sql<(Pick<Policies, 'version'> & { sent: number; all: number })[]>`
      select p.version,
        (select count(*)::int from policy_deliveries d
          where d.version = p.version and notice = 'announced' and state = 'sent') as sent,
        (select count(*)::int from policy_deliveries d where d.version = p.version and notice = 'announced')
          + (select count(*)::int from accounts a where a.policy_version <> p.version and not exists (
            select from policy_deliveries d
            where d.version = p.version and notice = 'announced' and d.account_id = a.id)) as all
      from policies p where p.state = 'posted' and p.material`,
    sql<{ count: number }[]>`
      select count(*)::int as count from policies p join policy_deliveries d on d.version = p.version
      where p.state = 'in_force' and p.material and d.notice = 'announced' and d.state = 'sent'
        and d.sent_at > p.effective_at - ${ahead}::interval`,
    // The policy page serves accounts that mail did not reach; an account that accepted the version needs no notice.
    sql<{ count: number }[]>`
      select count(*)::int as count from policies p
      join (select * from accounts order by last_active_at desc, id desc limit ${countedAccounts}) a
        on a.policy_version <> p.version and a.created_at < p.effective_at
      where p.state = 'in_force' and p.material and not exists (
        select from policy_deliveries d
        where d.version = p.version and d.notice = 'announced' and d.account_id = a.id
          and d.state in ('sent', 'failed', 'bounced'))`,
  ])
  const [notice] = coming
  return {
    policies_in_force: { value: Math.abs(onlyRow(held).count - 1) },
    notice_share: notice
      ? {
          value: notice.all === 0 ? 100 : Math.round((notice.sent / notice.all) * 1000) / 10,
          detail: `${notice.version}: ${notice.sent} of ${notice.all}`,
        }
      : { value: 100, detail: 'no version is coming' },
    short_notices: { value: onlyRow(short).count + onlyRow(unnotified).count },
  }
}
