import type { Queryable } from './connection/database.ts'
import type { Accounts, Consents } from './connection/schema.ts'

export const consentSources = [
  'app_settings',
  'sign_up',
  'web',
  'support',
  'unsubscribe_link',
  'sign_in_provider',
  'restore',
] as const
/** Sources of a consent that no caller can claim. */
export const ownConsentSources = ['sign_in_provider', 'restore'] as const
export type ConsentSource = (typeof consentSources)[number]

export interface Consent {
  granted: boolean
  /** null when the person never changed the consent, which starts as off */
  changedAt: Date | null
  source: ConsentSource | null
}

/**
 * U4 and G4, promotions go only to those who asked, and consent can be withdrawn at any time: sets the consent to
 * promotions and keeps each change with its time and source. Setting the same value again changes nothing, unless a
 * restore has withdrawn the consent, which an operator can undo: then the person's own withdrawal counts.
 */
export async function setPromotions(
  sql: Queryable,
  change: { accountId: string; granted: boolean; source: ConsentSource; at: Date },
): Promise<void> {
  // R1: what a sign-in provider reports is no use of the account by its person.
  const isByPerson = !ownConsentSources.some((own) => own === change.source)
  await sql`
    with changed as (
      update accounts set promotions = ${change.granted}, version = version + 1,
        last_active_at = case when ${isByPerson} then greatest(last_active_at, ${change.at}) else last_active_at end
      where id = ${change.accountId} and (promotions <> ${change.granted} or (not promotions and 'restore' = (
        select source from consents where account_id = accounts.id and purpose = 'promotions' order by at desc limit 1)))
      returning id
    )
    insert into consents (account_id, purpose, granted, source, at)
    select id, 'promotions', ${change.granted}, ${change.source}, ${change.at} from changed
    on conflict (account_id, purpose, at) do update set granted = excluded.granted, source = excluded.source`
}

/** The consent to promotions, or undefined when there is no such account. */
export async function findPromotions(sql: Queryable, accountId: string): Promise<Consent | undefined> {
  const [row] = await sql<(Pick<Accounts, 'promotions'> & { [Column in 'at' | 'source']: Consents[Column] | null })[]>`
    select promotions, at, source from accounts
    left join lateral (
      select at, source from consents where account_id = id and purpose = 'promotions' order by at desc limit 1
    ) as latest on true
    where id = ${accountId}`
  return row && { granted: row.promotions, changedAt: row.at, source: row.source }
}

/** The changes of an account's consent to promotions, the newest first. */
export async function listConsents(
  sql: Queryable,
  accountId: string,
  limit: number,
): Promise<Pick<Consents, 'granted' | 'source' | 'at'>[]> {
  return sql<Pick<Consents, 'granted' | 'source' | 'at'>[]>`
    select granted, source, at from consents where account_id = ${accountId} and purpose = 'promotions'
    order by at desc limit ${limit}`
}
