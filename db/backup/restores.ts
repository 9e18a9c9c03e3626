/** Restores of this database: whether traffic may be taken, and what became of everything newer than the dump. */
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable, Transaction } from '../connection/database.ts'
import type { Attention, LostNumbers, RestoredItems, Restores } from '../connection/schema.ts'
import type { HeldPlacement } from '../order/placements.ts'

export type ItemKind = RestoredItems['kind']
export type ItemOutcome = RestoredItems['outcome']

/** Kind of the operator task of what a restore leaves to operators: an order, a run, a payment, the tables. */
export const restoreUndecided = 'restore_undecided'

/** How to settle a payment, or a provider's order, that no order of the database explains. Without personal data. */
export interface LostOrderPlan {
  paymentIntentId: string | null
  /** the page of Stripe's on which it could still be paid; missing: none */
  pageId?: string
  /** the order whose run has to be ended; null when nobody knows it */
  orderId: string | null
  factId: string | null
  /** the invoice that a credit note has to correct */
  invoiceNumber: string | null
  /** what a provider holds */
  placement: HeldPlacement | null
}

export interface RestoredItem {
  kind: ItemKind
  subjectId: string
  outcome: ItemOutcome
  detail: string | null
}

export interface Restore {
  id: string
  backupId: string
  readsSince: Date
  restoredAt: Date
  series: string
  openedAt: Date | null
}

/** The part of document series after a restore: `R` and the time in UTC, in seconds. */
const seriesOf = (at: Date): string => `R${at.toISOString().replaceAll(/\D/g, '').slice(0, 14)}`

/**
 * Records a restore, which refuses traffic until `openTraffic`. A restore that the dump held unfinished is closed. The
 * sessions of the dump end: one that was ended since, by a sign-out or by new credentials, must not come back.
 */
export async function insertRestore(
  tx: Transaction,
  restore: { id: string; backupId: string; readsSince: Date; at: Date },
): Promise<void> {
  const { id, backupId, readsSince, at } = restore
  await tx`update restores set opened_at = ${at} where opened_at is null`
  await tx`delete from web_sessions`
  // Purchases since the dump have left the providers' balances, and are not in the dump's count of spending.
  await tx`delete from provider_balances`
  await tx`insert into restores (id, backup_id, reads_since, restored_at, series)
    values (${id}, ${backupId}, ${readsSince}, ${at}, ${await freeSeries(tx, at)})`
}

async function freeSeries(tx: Transaction, at: Date): Promise<string> {
  const taken = await tx`select from restores where series = ${seriesOf(at)}`
  return taken.length === 0 ? seriesOf(at) : freeSeries(tx, plusMs(at, milliseconds.second))
}

/** The restore that refuses traffic. */
export async function findClosedRestore(sql: Queryable): Promise<Restore | undefined> {
  const [row] = await sql<Restores[]>`select * from restores where opened_at is null`
  return row && restoreOf(row)
}

export async function findRestore(sql: Queryable, id: string): Promise<Restore | undefined> {
  const [row] = await sql<Restores[]>`select * from restores where id = ${id}`
  return row && restoreOf(row)
}

/** Restores, the newest first. */
export async function listRestores(sql: Queryable, limit: number): Promise<Restore[]> {
  const rows = await sql<Restores[]>`select * from restores order by restored_at desc limit ${limit}`
  return rows.map(restoreOf)
}

const restoreOf = (row: Restores): Restore => ({
  id: row.id,
  backupId: row.backup_id,
  readsSince: row.reads_since,
  restoredAt: row.restored_at,
  series: row.series,
  openedAt: row.opened_at,
})

/** Lets the API answer everybody after a restore. The first time counts. */
export async function openTraffic(sql: Queryable, id: string, at: Date): Promise<void> {
  await sql`update restores set opened_at = ${at} where id = ${id} and opened_at is null`
}

/** Adds an item to a restore's report; an item that is there stays as it is. */
export async function insertItem(
  sql: Queryable,
  restoreId: string,
  item: Omit<RestoredItem, 'detail'> & { detail?: string; plan?: LostOrderPlan },
): Promise<void> {
  const { kind, subjectId, outcome, detail, plan } = item
  await sql`insert into restored_items (restore_id, kind, subject_id, outcome, detail, plan)
    values (${restoreId}, ${kind}, ${subjectId}, ${outcome}, ${detail ?? null}, ${plan ? JSON.stringify(plan) : null}::text::jsonb)
    on conflict do nothing`
}

/** An item that is left to operators, with the detail of its task. */
export type UndecidedItem = RestoredItem & { taskDetail: string | null }

/**
 * Takes the orders and payments out of a restore's report that nobody has decided: whose task is open. An order that an
 * operator has decided otherwise, by the task of its payment, is none of them.
 */
export async function takeUndecided(sql: Queryable, restoreId: string): Promise<UndecidedItem[]> {
  const rows = await sql<(RestoredItems & { task_detail: Attention['detail'] })[]>`
    delete from restored_items i using attention a
    where i.restore_id = ${restoreId} and i.outcome = 'undecided' and i.kind in ('order', 'payment')
      and a.kind = ${restoreUndecided} and a.subject_id = i.subject_id and a.resolved_at is null
      and not exists (select from attention p
        where p.kind = 'payment_not_accepted' and p.subject_id = i.subject_id and p.resolved_at is not null)
    returning i.*, a.detail as task_detail`
  return rows.map((row) => ({ ...itemOf(row), taskDetail: row.task_detail }))
}

export async function findItem(
  sql: Queryable,
  restoreId: string,
  { kind, subjectId }: Pick<RestoredItem, 'kind' | 'subjectId'>,
): Promise<RestoredItem | undefined> {
  const [row] = await sql<RestoredItems[]>`
    select * from restored_items where restore_id = ${restoreId} and kind = ${kind} and subject_id = ${subjectId}`
  return row && itemOf(row)
}

/** The orders of which a restore does not know what became of them. */
export async function listUndecidedOrders(sql: Queryable, restoreId: string): Promise<string[]> {
  const rows = await sql<Pick<RestoredItems, 'subject_id'>[]>`
    select subject_id from restored_items
    where restore_id = ${restoreId} and kind = 'order' and outcome = 'undecided'`
  return rows.map(({ subject_id }) => subject_id)
}

const itemOf = (row: RestoredItems): RestoredItem => ({
  kind: row.kind,
  subjectId: row.subject_id,
  outcome: row.outcome,
  detail: row.detail,
})

export interface ItemToSettle {
  kind: ItemKind
  subjectId: string
  plan: LostOrderPlan
}

/** What is still to be refunded, returned or written into the books for orders that could not be rebuilt. */
export async function listItemsToSettle(sql: Queryable, restoreId: string): Promise<ItemToSettle[]> {
  const rows = await sql<Pick<RestoredItems, 'kind' | 'subject_id' | 'plan'>[]>`
    select kind, subject_id, plan from restored_items
    where restore_id = ${restoreId} and outcome = 'to_settle' order by kind, subject_id`
  return rows.flatMap(({ kind, subject_id: subjectId, plan }) => (plan ? [{ kind, subjectId, plan }] : []))
}

/** Keeps what was asked of a provider for an item that is still to be settled. */
export async function keepPlacement(
  sql: Queryable,
  restoreId: string,
  { kind, subjectId }: Pick<ItemToSettle, 'kind' | 'subjectId'>,
  placement: HeldPlacement,
): Promise<void> {
  // The rest of the plan stays as it is: an erasure may have taken the order's id out of it.
  await sql`update restored_items
    set plan = jsonb_set(plan, '{placement}', ${JSON.stringify(placement)}::text::jsonb)
    where restore_id = ${restoreId} and kind = ${kind} and subject_id = ${subjectId} and outcome = 'to_settle'`
}

/** Records what became of an item that was to be settled. */
export async function settleItem(
  sql: Queryable,
  restoreId: string,
  item: Pick<RestoredItem, 'kind' | 'subjectId' | 'outcome'> & { detail?: string },
): Promise<void> {
  await sql`update restored_items
    set outcome = ${item.outcome}, detail = coalesce(${item.detail ?? null}, detail), plan = null
    where restore_id = ${restoreId} and kind = ${item.kind} and subject_id = ${item.subjectId}
      and outcome = 'to_settle'`
}

export type ItemCounts = Partial<Record<ItemKind, Partial<Record<ItemOutcome, number>>>>

/** The numbers of items by kind and outcome. */
export async function countItems(sql: Queryable, restoreId: string): Promise<ItemCounts> {
  const rows = await sql<(Pick<RestoredItems, 'kind' | 'outcome'> & { count: number })[]>`
    select kind, outcome, count(*)::int as count from restored_items where restore_id = ${restoreId}
    group by kind, outcome order by kind, outcome`
  const counts: ItemCounts = {}
  for (const { kind, outcome, count } of rows) counts[kind] = { ...counts[kind], [outcome]: count }
  return counts
}

/** A page of items after the given one. */
export async function listItems(
  sql: Queryable,
  restoreId: string,
  page: { after: [kind: string, subjectId: string] | undefined; outcome: string | undefined; limit: number },
): Promise<RestoredItem[]> {
  const { after, outcome, limit } = page
  const rows = await sql<RestoredItems[]>`
    select * from restored_items where restore_id = ${restoreId}
      ${outcome === undefined ? sql`` : sql`and outcome = ${outcome}`}
      ${after === undefined ? sql`` : sql`and (kind, subject_id) > (${after[0]}, ${after[1]})`}
    order by kind, subject_id limit ${limit}`
  return rows.map(itemOf)
}

/** The number of document numbers that a restore has lost, by series. */
export async function countLostNumbers(sql: Queryable, restoreId: string): Promise<Record<string, number>> {
  const rows = await sql<(Pick<LostNumbers, 'series'> & { count: number })[]>`
    select series, count(*)::int as count from lost_numbers where restore_id = ${restoreId} group by series order by 1`
  return Object.fromEntries(rows.map(({ series, count }) => [series, count]))
}

export type LeftSubject = Pick<Attention, 'subject_id' | 'opened_at'> & { is_settled: boolean }

/** What restores have left to operators. */
export const listLeftSubjects = (sql: Queryable): Promise<LeftSubject[]> =>
  sql<LeftSubject[]>`select subject_id, opened_at, resolved_at is not null as is_settled from attention
    where kind = ${restoreUndecided}`
