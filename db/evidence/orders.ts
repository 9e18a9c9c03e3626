/** Figures of orders: they are settled, booked and confirmed; and which data about them outside parties got. */
import type { Readings } from '../../policy/figures.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { type Explanation, unbookedKinds, unsettledKinds } from '../../policy/reconciliation.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'
import type { Counters, Orders } from '../connection/schema.ts'
import { paymentSweepParts } from '../order/payment-sweeps.ts'
import { detailOf } from './schema.ts'

/** A run that retries delay is not yet a broken promise. */
const graceMs = 10 * milliseconds.minute
/** as long as retries go on (workflows/run/retry.ts, `message`) */
const mailLifeMs = 3 * milliseconds.day
/** the hourly payment sweep may fail twice */
const sweepLifeMs = 3 * milliseconds.hour
const lately = 7 * milliseconds.day
const lookedAt = 10_000

interface Counts {
  unsettled: number
  reviews: number
  unbooked: number
  uninvoiced: number
  measured: number
  telling: number
  mails: number
  pushes: number
}

/**
 * Reads the figures that are about orders: who paid is delivered or refunded (U2) and gets each message (U3), risky
 * orders are reviewed (U5), what was bought is recorded and booked (C3, U6), and no more than they may know went to
 * eSIM providers (P1), to ad measurement (P3), by push (P4) and by mail (P5).
 */
export async function readOrderFigures(sql: Queryable, asOf: Date): Promise<Readings> {
  const due = plusMs(asOf, -graceMs)
  const reviewedSince = plusMs(due, -periods.order.reviewWindowMs)
  const since = plusMs(asOf, -lately)
  const unsentSince = plusMs(asOf, -mailLifeMs)
  const sweptSince = plusMs(asOf, -sweepLifeMs)
  const [counted, stuck, gaps, paid] = await Promise.all([
    sql<Counts[]>`select
      (select count(*)::int from orders where created_at > ${since} and paid_at is not null and fact_id is null)
        as unbooked,
      (select count(*)::int from orders o where created_at > ${since} and status = 'delivered' and not exists (
        select from invoice_links l where l.order_id = o.id and document_key = 'invoice')) as uninvoiced,
      (select count(*)::int from orders where measurement_event_id is not null and not ad_user_data) as measured,
      (select count(*)::int from (select * from provider_orders limit ${lookedAt}) p join orders o on o.id = p.order_id
        where p.client_ref like '%' || left(o.id::text, 8) || '%'
          or p.client_ref like '%' || left(o.account_id::text, 8) || '%') as telling,
      (select count(*)::int from sends where state in ('due', 'sending') and first_at < ${unsentSince}
        and kind like 'mail:%') as mails,
      (select count(*)::int from sends where state in ('due', 'sending') and first_at < ${unsentSince}
        and kind like 'push:%') as pushes,
      (select count(*)::int from orders where ended_at is null and status = 'in_review' and paid_at < ${reviewedSince})
        as reviews`,
    sql<(Pick<Orders, 'status'> & { count: number })[]>`
      select status, count(*)::int as count from orders where ended_at is null and (
        (status = 'provisioning' and deliver_by < ${due}) or (status = 'in_review' and paid_at < ${reviewedSince})
        or (status = 'refunding' and deliver_by < ${due}) or status = 'refund_failed')
      group by status order by status`,
    countGaps(sql),
    sql<
      { unsettled: number; unbooked: number; swept: number; reconciled_at: Date | null; first_account: Date | null }[]
    >`
      with newest as (
        select id, started_at from reconciliations where state = 'complete' order by started_at desc limit 1),
      found as (
        select d.* from reconciliation_differences d join newest on newest.id = d.reconciliation_id
        where explained_by is null or explained_by = ${'with_an_operator' satisfies Explanation})
      select
      (select count(*)::int from (
        select subject_id, '' as payment from attention where resolved_at is null
          and kind in ('payment_unsettled', 'payment_without_order')
        union select subject_id, case when kind = 'charged_twice' then part else '' end
          from found where kind = any(${[...unsettledKinds]})) as payments) as unsettled,
      (select count(*)::int from found where kind = any(${[...unbookedKinds]}) and explained_by is null) as unbooked,
      (select started_at from newest) as reconciled_at,
      (select min(created_at) from accounts) as first_account,
      (select count(*)::int from payment_sweeps where done_at > ${sweptSince}) as swept`,
  ])
  const counts = onlyRow(counted)
  const payments = onlyRow(paid)
  // A new shop is compared in its first night.
  const compared = payments.reconciled_at ?? payments.first_account ?? asOf
  const isReconciled = compared > plusMs(asOf, -periods.reconciliation.staleAfterMs)
  return {
    unsettled_orders: {
      value: stuck.reduce((sum, { count }) => sum + count, 0),
      ...detailOf(stuck.map(({ status, count }) => `${status}: ${count}`)),
    },
    // Unknown while Stripe was not read lately, by the reconciliation and by each part of the payment sweep.
    unsettled_payments: {
      value: isReconciled && payments.swept === paymentSweepParts.length ? payments.unsettled : null,
    },
    unbooked_money: { value: isReconciled ? payments.unbooked : null },
    overdue_reviews: { value: counts.reviews },
    unbooked_orders: { value: counts.unbooked },
    missing_invoices: { value: counts.uninvoiced },
    invoice_gaps: gaps,
    unasked_measurements: { value: counts.measured },
    telling_references: { value: counts.telling },
    unsent_mails: { value: counts.mails },
    unsent_pushes: { value: counts.pushes },
  }
}

/** Counts missing document numbers. Purges delete the oldest numbers only: a number missing after them is a gap. */
async function countGaps(sql: Queryable): Promise<{ value: number; detail?: string }> {
  const rows = await sql<(Pick<Counters, 'series'> & { missing: number })[]>`
    select c.series, (least(c.last - coalesce(first.sequence, c.last) + 1, ${lookedAt}) - present.count)::int as missing
    from counters c
    cross join lateral (
      select min(sequence) as sequence from invoices i where i.series = c.series and i.sequence > c.last - ${lookedAt}
    ) as first
    cross join lateral (
      select count(*) as count from (
        select i.sequence from invoices i where i.series = c.series and i.sequence > c.last - ${lookedAt}
        union all
        -- what a restore has lost is known
        select l.sequence from lost_numbers l
        where l.series = c.series and l.sequence > greatest(c.last - ${lookedAt}, first.sequence)
      ) known
    ) as present
    where first.sequence is not null`
  const gaps = rows.filter(({ missing }) => missing !== 0)
  return {
    value: gaps.reduce((sum, { missing }) => sum + Math.abs(missing), 0),
    ...detailOf(gaps.map(({ series, missing }) => `${series}: ${missing}`)),
  }
}
