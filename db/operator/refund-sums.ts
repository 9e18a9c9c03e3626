/**
 * The refunds of one operator alone, added up by operator and by order for a day: above a limit a second operator has
 * to confirm, also when the sum is made of many small refunds. Currencies are added as if they were one.
 */
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Database, Fragment, Transaction } from '../connection/database.ts'
import type { OperatorActs } from '../connection/schema.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { notMade } from '../order/refunds.ts'
import { operatorNames } from './operator-names.ts'
import { sameOperators } from './operators.ts'

export type RefundContext = ColumnEncryption & { sql: Database; config: { SECOND_OPERATOR_ABOVE_MINOR: number } }

/** A dispute that is accepted gives the customer the money for good, as a refund does. */
export const acceptDispute = 'accept-dispute'
/** The acts that give money back; the others have no amount. */
export const refundingActs = ['refund', 'refund-part', 'reject', 'cancel', acceptDispute]
/** Whether an operator's act gives money back. */
export const givesBack = (act: string): boolean => refundingActs.includes(act)

/** One operator would give back more than one may. */
export class SecondOperatorRequired extends Error {
  override readonly name = 'SecondOperatorRequired'
  readonly of: 'operator' | 'order'
  readonly act: string
  /** what was given back before, and what is asked for now */
  readonly beforeMinor: number
  readonly minor: number

  constructor({ of, act, beforeMinor, minor }: Pick<SecondOperatorRequired, 'of' | 'act' | 'beforeMinor' | 'minor'>) {
    super('a second operator is required')
    this.of = of
    this.act = act
    this.beforeMinor = beforeMinor
    this.minor = minor
  }
}

const windowStart = (at: Date): Date => plusMs(at, -periods.operatorRefundsMs)

/**
 * Only one transaction at a time reads the sums and adds to them: two at once would not see the refund of each other.
 */
export const lockRefundSums = (tx: Transaction) =>
  tx`select pg_advisory_xact_lock(hashtextextended('refunds of operators', 0))`

/** The part of an order's payment that is not refunded. */
export const leftOf = (tx: Transaction) => tx`
  orders.gross_minor - coalesce((select sum(r.amount_minor) from refunds r
    where r.order_id = orders.id and r.state <> all(${[...notMade]})), 0)`

interface Sums {
  /** what the operator refunds, this act included; then what they have refunded without it */
  by_operator: number
  by_operator_before: number
  /**
   * of the selected orders, the largest sum that all operators together refund of one order; then the part of it
   * without this act
   */
  of_order: number
  of_order_before: number
}

/**
 * Adds up the refunds that one operator alone has made, may have made, or is about to make: refunds that two operators
 * confirmed do not count. Of one order it is never more than its price: a refund that failed and is repeated counts
 * once.
 * @param asked what is asked for now: `order_id` and `minor`
 * @param of.names of the operator
 * @param of.except the id of the act or bulk action that asks
 */
const sumsWith = (tx: Transaction, asked: Fragment, of: { names: readonly string[]; at: Date; except: string }) => tx`
  select coalesce(sum(least(mine, price)), 0)::float8 as by_operator,
    coalesce(sum(least(mine_before, price)), 0)::float8 as by_operator_before,
    coalesce(max(least(everybodys, price)) filter (where is_asked), 0)::float8 as of_order,
    coalesce(max(least(everybodys_before, price)) filter (where is_asked), 0)::float8 as of_order_before
  from (
    select o.gross_minor as price, bool_or(is_new) as is_asked, sum(minor) as everybodys,
      coalesce(sum(minor) filter (where not is_new), 0) as everybodys_before,
      coalesce(sum(minor) filter (where is_mine), 0) as mine,
      coalesce(sum(minor) filter (where is_mine and not is_new), 0) as mine_before
    from (
      select order_id, minor, true as is_mine, true as is_new from (${asked}) asked where minor > 0
      union all
      select order_id, amount_minor, operator = any(${[...of.names]}), false from operator_acts
      where amount_minor > 0 and bulk_action_id is null and id <> ${of.except} and asked_at > ${windowStart(of.at)}
        and act = any(${refundingActs}) and state in ('asked', 'done')
      union all
      select a.order_id, a.amount_minor, a.operator = any(${[...of.names]}), false
      from bulk_actions b join operator_acts a on a.bulk_action_id = b.id
      where b.act = 'refund' and b.id <> ${of.except} and not b.needs_second_operator and a.amount_minor > 0
        and (b.state in ('running', 'paused') or b.ended_at > ${windowStart(of.at)})
        and ((a.state in ('asked', 'done') and a.asked_at > ${windowStart(of.at)})
          -- What is left of one that goes on, or that its operator may let go on, is about to be given back.
          or (a.state in ('planned', 'asked') and b.state in ('running', 'paused')))
    ) given join orders o on o.id = given.order_id
    group by o.id, o.gross_minor
  ) by_order`

/** The columns of `sumsWith` say that it is more than one operator may give back alone. */
const isTooMuch = (tx: Transaction, aboveMinor: number) => tx`
  ((by_operator > ${aboveMinor} and by_operator > by_operator_before)
    or (of_order > ${aboveMinor} and of_order > of_order_before))`

/** The names of all who may be this operator (`mayBeSameOperator`). */
export async function namesOfOperator(context: RefundContext, operator: string): Promise<string[]> {
  return [operator, ...(await sameOperators(context, operator, [...(await operatorNames(context.sql)).keys()]))]
}

/**
 * Whether another operator has asked for the same acceptance today, and was refused as one alone: the two have confirmed
 * it together. A refund has bulk actions for that, which Stripe makes none of while its payment is disputed.
 */
async function isAskedByAnother(
  tx: Transaction,
  { order_id, act, subject, asked_at }: Pick<GivingBack, 'order_id' | 'act' | 'subject' | 'asked_at'>,
  names: readonly string[],
): Promise<boolean> {
  if (act !== acceptDispute) return false
  const rows = await tx`
    select from operator_acts
    where order_id = ${order_id} and act = ${act} and subject = ${subject} and state = 'refused'
      and code = ${secondRequired} and asked_at > ${windowStart(asked_at)} and operator <> all(${[...names]}) limit 1`
  return rows.length > 0
}

const secondRequired = 'second_operator_required'

type GivingBack = Pick<
  OperatorActs,
  'id' | 'account_id' | 'act' | 'subject' | 'operator' | 'reason' | 'amount_minor' | 'asked_at'
> & { order_id: string }

/**
 * Notes that an operator is about to give something back, unless it needs a second one: then that is noted. One
 * statement reads the sums and adds to them. One that was noted before, and not refused, stays.
 * What two have confirmed has no amount, so that it counts for neither.
 * @param act.amountMinor null: all that is left. Of an order that was refunded as our books say it is the price: whoever
 * asks for its refund knows that it is not back
 * @throws SecondOperatorRequired
 */
export async function noteGivingBack(context: RefundContext, act: GivingBack): Promise<void> {
  const names = await namesOfOperator(context, act.operator)
  const aboveMinor = context.config.SECOND_OPERATOR_ABOVE_MINOR
  const noted = await context.sql.begin(async (tx) => {
    await lockRefundSums(tx)
    const asked = tx`
      select id as order_id, case when paid_at is not null then coalesce(${act.amount_minor}::integer,
        case when status = 'refunded' then gross_minor else ${leftOf(tx)} end) end as minor
      from orders where id = ${act.order_id}`
    const isConfirmed = await isAskedByAnother(tx, act, names)
    const [row] = await tx<(Sums & { is_refused: boolean })[]>`
      with compared as (
        select *, not ${isConfirmed} and ${isTooMuch(tx, aboveMinor)} as is_refused
        from (${sumsWith(tx, asked, { names, at: act.asked_at, except: act.id })}) sums
      ), noted as (
        insert into operator_acts
          (id, account_id, order_id, act, subject, operator, reason, amount_minor, state, code, asked_at, done_at)
        select ${act.id}, ${act.account_id}, ${act.order_id}, ${act.act}, ${act.subject}, ${act.operator}, ${act.reason},
          (select nullif(minor, 0) from (${asked}) asked where not ${isConfirmed}),
          case when is_refused then 'refused' else 'asked' end,
          case when is_refused then ${secondRequired} end, ${act.asked_at},
          case when is_refused then ${act.asked_at}::timestamptz end
        from compared
        on conflict (id) do update set operator = excluded.operator, amount_minor = excluded.amount_minor,
          state = excluded.state, code = excluded.code, asked_at = excluded.asked_at, done_at = excluded.done_at
          where operator_acts.state = 'refused'
        returning id
      )
      select * from compared where exists (select from noted)`
    return row
  })
  if (!noted?.is_refused) return
  const isOfOrder = noted.by_operator <= aboveMinor
  const [beforeMinor, withIt] = isOfOrder
    ? [noted.of_order_before, noted.of_order]
    : [noted.by_operator_before, noted.by_operator]
  const of = isOfOrder ? 'order' : 'operator'
  throw new SecondOperatorRequired({ of, act: act.act, beforeMinor, minor: withIt - beforeMinor })
}

/**
 * Whether a bulk refund, with what its operator and its orders have been given back before, needs a second operator.
 * @param names of the operator who would start it alone
 */
export async function needsSecondOperator(
  tx: Transaction,
  { id, names, at, aboveMinor }: { id: string; names: readonly string[]; at: Date; aboveMinor: number },
): Promise<boolean> {
  const asked = tx`
    select order_id, amount_minor as minor from operator_acts where bulk_action_id = ${id} and state <> 'refused'`
  const [row] = await tx<{ is_needed: boolean }[]>`
    select ${isTooMuch(tx, aboveMinor)} as is_needed from (${sumsWith(tx, asked, { names, at, except: id })}) sums`
  return row?.is_needed ?? false
}
