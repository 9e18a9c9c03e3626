/** The acts of operators for accounts, with their reasons. */
import type { Queryable } from '../connection/database.ts'
import type { OperatorActs } from '../connection/schema.ts'
import { givesBack, noteGivingBack, type RefundContext, refundingActs } from './refund-sums.ts'

export interface NewOperatorAct {
  /** the same for each repetition of one request */
  id: string
  /** null for a task or privacy request of nobody's account, and for what is about no single account */
  accountId: string | null
  orderId: string | null
  act: string
  /**
   * the kind of a task or privacy request, or the id of a dispute, a bulk action, a campaign, a breach, ...; without an
   * account it names what belongs to nobody
   */
  subject?: string | null
  /** as the security log names them */
  operator: string
  /** without personal data: it is stored in the clear */
  reason: string | null
  /** of an act that gives money back; null: all that is left */
  amountMinor?: number | null
  at: Date
}

/**
 * Records what an operator does, does it, and records how it ended. An act whose process ends in between stays `asked`,
 * and so does one whose outcome is unknown. Every act of one operator comes through here, and with it the limit of what
 * one gives back alone.
 * @param refusalOf the code of a refusal; undefined for an error that leaves open whether the act was done
 * @throws SecondOperatorRequired
 */
export async function recordAct<Result>(
  context: RefundContext,
  act: NewOperatorAct,
  refusalOf: (error: unknown) => string | undefined,
  perform: () => Promise<Result>,
): Promise<Result> {
  const { sql } = context
  const { id, orderId } = act
  const noted = {
    id,
    account_id: act.accountId,
    act: act.act,
    subject: act.subject ?? null,
    operator: act.operator,
    reason: act.reason,
    amount_minor: act.amountMinor ?? null,
    asked_at: act.at,
  }
  if (orderId !== null && givesBack(act.act)) await noteGivingBack(context, { ...noted, order_id: orderId })
  else await noteAct(sql, { ...noted, order_id: orderId })
  try {
    const result = await perform()
    await endAct(sql, id, 'done', null)
    return result
  } catch (error) {
    const code = refusalOf(error)
    if (code !== undefined) await endAct(sql, id, 'refused', code)
    throw error
  }
}

async function noteAct(
  sql: Queryable,
  act: Omit<OperatorActs, 'state' | 'code' | 'done_at' | 'bulk_action_id' | 'attempts' | 'interrupted'>,
): Promise<void> {
  const row = {
    ...act,
    state: 'asked',
    code: null,
    done_at: null,
    bulk_action_id: null,
    attempts: 0,
    interrupted: 0,
  } as const
  await sql`insert into operator_acts ${sql(row satisfies OperatorActs)} on conflict (id) do nothing`
}

/** An act that was done stays so, also when a repetition of it fails. */
export async function endAct(
  sql: Queryable,
  id: string,
  state: 'done' | 'refused',
  code: string | null,
): Promise<void> {
  await sql`
    update operator_acts set state = ${state}, code = ${code}, done_at = ${new Date()}
    where id = ${id} and state <> 'done'`
}

/**
 * Acts that are about no account, the newest first: those of an account are on its page. @param page.subject what was
 * changed
 */
export async function listActsAboutNoAccount(
  sql: Queryable,
  page: { subject: string | undefined; after: readonly [askedAt: string, id: string] | undefined; limit: number },
): Promise<OperatorActs[]> {
  const { subject, after, limit } = page
  return sql<OperatorActs[]>`
    select * from operator_acts where account_id is null
      ${subject === undefined ? sql`` : sql`and subject = ${subject}`}
      ${after ? sql`and (asked_at, id) < (${after[0]}::timestamptz, ${after[1]}::uuid)` : sql``}
    order by asked_at desc, id desc limit ${limit}`
}

/** Whether an operator has had an order cancelled or refunded, so that it was not the customer. */
export async function wasRefundedByOperator(sql: Queryable, orderId: string): Promise<boolean> {
  const acts = await sql`
    select 1 from operator_acts
    where order_id = ${orderId} and act in ('cancel', 'refund') and state in ('asked', 'done') limit 1`
  return acts.length > 0
}

/** What other operators have asked for since then of an order that gives money back, and was not refused; the newest last. */
export const givenBackSince = (
  sql: Queryable,
  { orderId, operator, since }: { orderId: string; operator: string; since: Date },
): PromiseLike<Pick<OperatorActs, 'operator' | 'act' | 'amount_minor' | 'reason'>[]> => sql<OperatorActs[]>`
  select operator, act, amount_minor, reason from operator_acts
  where order_id = ${orderId} and operator <> ${operator} and asked_at > ${since} and state <> 'refused'
    and act = any(${[...refundingActs]}) order by asked_at, id`
