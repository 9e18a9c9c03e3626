/**
 * The same act for many orders. The act on each order is a row of `operator_acts`, written before any of them is done.
 */
import type { BulkActionStatus, BulkSelection } from '../../workflows/order/bulk-action.contract.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { BulkActions, OperatorActs, Orders } from '../connection/schema.ts'
import { mayBeSameOperator } from './operators.ts'
import { leftOf, lockRefundSums, namesOfOperator, needsSecondOperator, type RefundContext } from './refund-sums.ts'

/** A failed try that may succeed later is repeated so often. */
export const maxAttempts = 8
/** A try whose worker died counts apart, unless it may be the try that workers die of. */
const maxInterrupted = 40

export type NewBulkAction = Pick<BulkActions, 'id' | 'act' | 'selection' | 'reason' | 'prepared_by' | 'prepared_at'>

export interface Sum {
  currency: Orders['currency']
  minor: number
}

/**
 * Stores a bulk action with the orders that are selected now; nothing is done to them yet. One that exists stays.
 * @param limit the most orders; those that were paid first are taken
 */
export async function prepareBulkAction(context: RefundContext, action: NewBulkAction, limit: number): Promise<void> {
  const names = await namesOfOperator(context, action.prepared_by)
  await context.sql.begin(async (tx) => {
    const inserted = await tx`
      insert into bulk_actions
        (id, act, selection, reason, order_count, needs_second_operator, state, prepared_by, prepared_at)
      values (${action.id}, ${action.act}, ${tx.json({ ...action.selection })}, ${action.reason}, 0, false, 'prepared',
        ${action.prepared_by}, ${action.prepared_at}) on conflict (id) do nothing`
    if (inserted.count === 0) return
    const { count } = await tx`
      insert into operator_acts
        (id, account_id, order_id, act, operator, reason, amount_minor, state, asked_at, bulk_action_id)
      select gen_random_uuid(), account_id, id, ${action.act}, ${action.prepared_by}, ${action.reason},
        ${action.act === 'refund' ? leftOf(tx) : tx`null::integer`}, 'planned', ${action.prepared_at}, ${action.id}
      from orders ${selected(tx, action.selection)}
      order by coalesce(paid_at, created_at), id limit ${limit}`
    const isLarge = await needsSecondOperator(tx, { ...limitOf(context), id: action.id, names, at: action.prepared_at })
    await tx`
      update bulk_actions set order_count = ${count}, needs_second_operator = ${isLarge} where id = ${action.id}`
  })
}

const limitOf = ({ config }: RefundContext) => ({ aboveMinor: config.SECOND_OPERATOR_ABOVE_MINOR })

/**
 * Counts again, before a prepared bulk refund is started, what it gives back: refunds that were under way may have
 * failed since, and the operator who starts it may have refunded much today. A sum that has grown needs a second
 * operator, too.
 * @param by who would start it
 */
export async function renewSum(
  context: RefundContext,
  { id, by, at }: { id: string; by: string; at: Date },
): Promise<void> {
  const names = await namesOfOperator(context, by)
  await context.sql.begin(async (tx) => countAgain(tx, context, { id, names, at }))
}

async function countAgain(
  tx: Transaction,
  context: RefundContext,
  { id, names, at }: { id: string; names: readonly string[]; at: Date },
): Promise<void> {
  await lockRefundSums(tx)
  const [row] = await tx<Pick<BulkActions, 'act'>[]>`
    select act from bulk_actions where id = ${id} and state = 'prepared' for update`
  if (row?.act !== 'refund') return
  await tx`
    update operator_acts set amount_minor = ${leftOf(tx)} from orders
    where orders.id = operator_acts.order_id and bulk_action_id = ${id}`
  if (await needsSecondOperator(tx, { ...limitOf(context), id, names, at }))
    await tx`update bulk_actions set needs_second_operator = true where id = ${id}`
}

const selected = (
  tx: Transaction,
  { statuses = null, provider = null, paidFrom = null, paidUntil = null, sameOrdersAs = null }: Selected,
) => tx`
  where paid_at is not null
    and (${statuses}::text[] is null or status = any(${statuses}::text[]))
    and (${paidFrom}::timestamptz is null or paid_at >= ${paidFrom})
    and (${paidUntil}::timestamptz is null or paid_at < ${paidUntil})
    and (${provider}::text is null or exists (
      select 1 from provider_orders p where p.order_id = orders.id and p.provider = ${provider}))
    and (${sameOrdersAs}::uuid is null or exists (
      select 1 from operator_acts a where a.order_id = orders.id and a.bulk_action_id = ${sameOrdersAs}))`

type Selected = { [Name in keyof BulkSelection]: BulkSelection[Name] | null }

export async function findBulkAction(sql: Queryable, id: string): Promise<BulkActions | undefined> {
  const [row] = await sql<BulkActions[]>`select * from bulk_actions where id = ${id}`
  return row
}

/** A page of bulk actions, the newest first. */
export async function listBulkActions(
  sql: Queryable,
  { after, limit }: { after: readonly [preparedAt: string, id: string] | undefined; limit: number },
): Promise<BulkActions[]> {
  const at = sql`date_trunc('milliseconds', prepared_at)`
  return sql<BulkActions[]>`
    select * from bulk_actions ${after ? sql`where (${at}, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)` : sql``}
    order by ${at} desc, id desc limit ${limit}`
}

export async function countBulkActions(sql: Queryable): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from bulk_actions`
  return row?.count ?? 0
}

/** The changes that operators make to a bulk action that is prepared, or runs. */
export const bulkChanges = ['pause', 'resume', 'cancel'] as const
export type BulkChange = (typeof bulkChanges)[number]

/** As an entry of `operator_acts` names it; its subject is the id of the bulk action. */
export const actOfChange = (change: BulkChange): string => `${change}-bulk-action`

/** Who has paused, resumed or cancelled a bulk action, also those that were refused. */
export async function listBulkChanges(
  sql: Queryable,
  id: string,
): Promise<
  (Pick<OperatorActs, 'id' | 'operator' | 'reason' | 'state' | 'code' | 'asked_at'> & { change: BulkChange })[]
> {
  const rows = await sql<Pick<OperatorActs, 'id' | 'act' | 'operator' | 'reason' | 'state' | 'code' | 'asked_at'>[]>`
    select id, act, operator, reason, state, code, asked_at from operator_acts
    where subject = ${id} and act = any(${bulkChanges.map(actOfChange)}) order by asked_at, id`
  return rows.flatMap(({ act, ...row }) => {
    const change = bulkChanges.find((each) => actOfChange(each) === act)
    return change === undefined ? [] : [{ ...row, change }]
  })
}

/**
 * Has the acts of a prepared bulk action begin, in the name of the operator who starts it; repeatable. Its sum counts
 * as theirs from then on, so that several that are started at once are added up.
 * @returns false when it is not prepared, is over, or needs another operator
 */
export async function startBulkAction(
  context: RefundContext,
  { id, startedBy, at }: { id: string; startedBy: string; at: Date },
): Promise<boolean> {
  const { sql } = context
  const now = new Date()
  const names = await namesOfOperator(context, startedBy)
  const preparedBy = (await findBulkAction(sql, id))?.prepared_by
  const isSame = preparedBy === undefined || (await mayBeSameOperator(context, preparedBy, startedBy))
  return await sql.begin(async (tx) => {
    await countAgain(tx, context, { id, names, at: now })
    const started = await tx`
      update bulk_actions set state = 'running', started_by = ${startedBy}, started_at = ${at}
      where id = ${id} and state = 'prepared' and not (needs_second_operator and ${isSame})`
    if (started.count === 1)
      await tx`update operator_acts set operator = ${startedBy} where bulk_action_id = ${id} and state = 'planned'`
    const [known] = await tx`
      select 1 from bulk_actions where id = ${id} and state in ('running', 'paused') and started_by = ${startedBy}`
    return known !== undefined
  })
}

/** Changes the state of a bulk action that is not over. @returns whether it was not */
export async function setBulkActionState(
  sql: Queryable,
  { id, state, at }: { id: string; state: BulkActionStatus; at: Date },
): Promise<boolean> {
  const endedAt = state === 'done' || state === 'cancelled' ? at : null
  const changed = await sql`
    update bulk_actions set state = ${state}, ended_at = ${endedAt} where id = ${id} and state in ('running', 'paused')`
  return changed.count === 1
}

/** Cancels a bulk action that nobody has started. @returns whether it was prepared */
export async function cancelPreparedBulkAction(sql: Queryable, id: string, at: Date): Promise<boolean> {
  const cancelled = await sql`
    update bulk_actions set state = 'cancelled', ended_at = ${at} where id = ${id} and state = 'prepared'`
  return cancelled.count === 1
}

export type BulkOrder = Pick<OperatorActs, 'id' | 'attempts'> & { order_id: string }

/** The next orders, those with the fewest tries first. */
export async function nextBulkOrders(sql: Queryable, bulkActionId: string, limit: number): Promise<BulkOrder[]> {
  const rows = await sql<Pick<OperatorActs, 'id' | 'order_id' | 'attempts'>[]>`
    select id, order_id, attempts from operator_acts
    where bulk_action_id = ${bulkActionId} and ${mayBeTried(sql)}
    order by attempts + interrupted, id limit ${limit}`
  return rows.flatMap(({ order_id, ...row }) => (order_id === null ? [] : { ...row, order_id }))
}

/** A try without a code has not ended. */
const mayBeTried = (sql: Queryable) => sql`
  state in ('planned', 'asked') and interrupted < ${maxInterrupted}
    and (attempts < ${maxAttempts} or (attempts = ${maxAttempts} and code is null))`

/** How many orders of a bulk action can still be tried. */
export async function countBulkOrdersLeft(sql: Queryable, bulkActionId: string): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from operator_acts
    where bulk_action_id = ${bulkActionId} and ${mayBeTried(sql)}`
  return row?.count ?? 0
}

/**
 * Notes that an act is about to be done.
 * @returns `stopped`: the bulk action is paused or over; `elsewhere`: another bulk action is about to refund the order,
 * or has tried to
 */
export async function beginBulkAct(
  sql: Database,
  { id, at }: { id: string; at: Date },
): Promise<'begun' | 'stopped' | 'elsewhere'> {
  return await sql.begin(async (tx) => {
    // Two bulk actions that begin at the same moment would each see that the other has not begun.
    await tx`
      select pg_advisory_xact_lock(hashtextextended('bulk refund ' || order_id, 0)) from operator_acts
      where id = ${id} and act = 'refund' and state = 'planned'`
    const [other] = await tx`
      select from operator_acts a join operator_acts other on other.order_id = a.order_id and other.id <> a.id
        join bulk_actions b on b.id = other.bulk_action_id
      where a.id = ${id} and a.act = 'refund' and a.state = 'planned'
        and other.act = 'refund' and other.state = 'asked' and b.state in ('running', 'paused')`
    if (other) return 'elsewhere'
    const begun = await tx`
      update operator_acts a set state = 'asked', code = null,
        attempts = attempts + case when ${wasInterrupted(tx)} then 0 else 1 end,
        interrupted = interrupted + case when ${wasInterrupted(tx)} then 1 else 0 end,
        asked_at = case when a.state = 'planned' then ${at} else a.asked_at end
      from bulk_actions b
      where a.id = ${id} and a.state in ('planned', 'asked') and b.id = a.bulk_action_id and b.state = 'running'`
    return begun.count === 1 ? 'begun' : 'stopped'
  })
}

/** The try before this one has not ended. */
const wasInterrupted = (sql: Queryable) => sql`(a.state = 'asked' and a.code is null)`

/** Notes why a try has failed that may have been done, or may succeed later. */
export async function noteFailedTry(sql: Queryable, id: string, code: string): Promise<void> {
  await sql`update operator_acts set code = ${code} where id = ${id} and state = 'asked'`
}

export interface BulkOutcome {
  state: OperatorActs['state']
  code: OperatorActs['code']
  /** what has become of the orders */
  status: Orders['status']
  currency: Orders['currency']
  count: number
  /** what the orders cost */
  worth: number
  /** what the act gives back */
  minor: number
}

/** How many orders have which outcome; orders of erased people are missing. */
export const countOutcomes = (sql: Queryable, bulkActionId: string): Promise<BulkOutcome[]> =>
  sql<BulkOutcome[]>`
    select a.state, a.code, o.status, o.currency, count(*)::int as count, sum(o.gross_minor)::float8 as worth,
      coalesce(sum(a.amount_minor), 0)::float8 as minor
    from operator_acts a join orders o on o.id = a.order_id where a.bulk_action_id = ${bulkActionId}
    group by a.state, a.code, o.status, o.currency order by a.state, a.code, o.status, o.currency`

/** The sums that the payment processor has refunded because of this bulk action, and of no other act. */
export const refundedBy = (sql: Queryable, bulkActionId: string): Promise<Sum[]> =>
  sql<Sum[]>`
    select o.currency, sum(r.amount_minor)::float8 as minor
    from operator_acts a join bulk_actions b on b.id = a.bulk_action_id join orders o on o.id = a.order_id
      join refunds r on r.order_id = o.id
    where a.bulk_action_id = ${bulkActionId} and a.act = 'refund' and a.state = 'done' and r.created_at >= b.started_at
      -- the refund of the order's run: no partial one, and none that was made elsewhere
      and r.refund_key like 'order-' || o.id || ':refund-%'
      and r.state not in ('failed', 'canceled', 'refused', 'requested')
    group by o.currency order by o.currency`

/** Codes of a refund that was not made because another act has refunded the order, or is about to. */
export const refundedElsewhere = ['already_refunding', 'already_refunded', 'in_another_bulk_action'] as const

export type RefundedElsewhere = (typeof refundedElsewhere)[number]

/**
 * The act that had refunded an order before a bulk refund reached it. Both are null when the customer or the run had
 * done it.
 */
export interface RefundedBy {
  by_bulk_action: string | null
  by_operator: string | null
}

/** The act that has refunded the order of an act `a` instead of it. */
const instead = (sql: Queryable) => sql`
  lateral (
    select x.bulk_action_id as by_bulk_action, x.operator as by_operator from operator_acts x
    where a.state = 'refused' and a.code = any(${[...refundedElsewhere]}) and x.order_id = a.order_id and x.id <> a.id
      and x.act in ('refund', 'cancel', 'reject') and x.state in ('asked', 'done')
    order by x.state = 'done' desc, x.asked_at, x.id limit 1
  ) instead on true`

/** How many orders of a bulk refund had been refunded by whom. */
export const countRefundedElsewhere = (
  sql: Queryable,
  bulkActionId: string,
): Promise<(RefundedBy & { count: number })[]> =>
  sql<(RefundedBy & { count: number })[]>`
    select instead.by_bulk_action, instead.by_operator, count(*)::int as count
    from operator_acts a left join ${instead(sql)}
    where a.bulk_action_id = ${bulkActionId} and a.state = 'refused' and a.code = any(${[...refundedElsewhere]})
    group by 1, 2 order by 3 desc, 1, 2`

export type BulkOrderRow = Pick<OperatorActs, 'id' | 'state' | 'code' | 'attempts' | 'done_at' | 'amount_minor'> &
  Pick<Orders, 'account_id' | 'status' | 'currency' | 'gross_minor'> & { order_id: Orders['id'] } & RefundedBy

/** A page of the orders with their outcomes. */
export const listBulkOrders = (
  sql: Queryable,
  { id, after, limit }: { id: string; after: readonly [id: string] | undefined; limit: number },
): Promise<BulkOrderRow[]> =>
  sql<BulkOrderRow[]>`
    select a.id, o.account_id, o.id as order_id, a.state, a.code, a.attempts, a.done_at, a.amount_minor,
      o.status, o.currency, o.gross_minor, instead.by_bulk_action, instead.by_operator
    from operator_acts a join orders o on o.id = a.order_id left join ${instead(sql)}
    where a.bulk_action_id = ${id} ${after ? sql`and a.id > ${after[0]}` : sql``} order by a.id limit ${limit}`
