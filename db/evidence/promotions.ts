/** U4 and G4, promotions go only to those who asked for them, and consent can be withdrawn: figures which show both. */
import type { Readings } from '../../policy/figures.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'

const lookedAt = 10_000

export async function readPromotionFigures(sql: Queryable): Promise<Readings> {
  const counts = await sql<{ unwanted: number; unproven: number }[]>`select
      (select count(*)::int from (
          select * from campaign_deliveries where state = 'sent' order by at desc limit ${lookedAt}) d
        cross join lateral (
          select granted from consents c
          where c.account_id = d.account_id and purpose = 'promotions' and c.at <= d.at order by c.at desc limit 1
        ) as said
        where not said.granted) as unwanted,
      (select count(*)::int from (select id from accounts where promotions limit ${lookedAt}) a
        where not coalesce((
          select granted from consents c where c.account_id = a.id and purpose = 'promotions' order by c.at desc limit 1
        ), false)) as unproven`
  const { unwanted, unproven } = onlyRow(counts)
  return { unwanted_promotions: { value: unwanted }, unproven_consents: { value: unproven } }
}
