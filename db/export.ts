/**
 * G5, everybody can take their data along: reads a person's rows in pages, one statement each, so that a long history
 * needs little memory.
 */
import { milliseconds } from '../policy/periods.ts'
import type { Fragment, Queryable } from './connection/database.ts'
import type {
  Attention,
  CampaignDeliveries,
  Campaigns,
  Consents,
  Disputes,
  EmailChanges,
  Esims,
  InvoiceLinks,
  Invoices,
  OperatorActs,
  OrderHistory,
  Orders,
  OwnedIds,
  PolicyDeliveries,
  PrivacyRequests,
  Refunds,
  SecurityLog,
  Sends,
  SignInEvents,
  Withdrawals,
} from './connection/schema.ts'
import { isRequestOf } from './privacy-requests.ts'

const pageSize = 200

/**
 * Reads pages until one is shorter than its limit.
 * @param read returns at most `limit` rows after the given one
 */
async function* pages<Row>(
  read: (after: Row | undefined, limit: number) => PromiseLike<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  let last: Row | undefined
  for (;;) {
    const page = await read(last, pageSize)
    if (page.length > 0) yield page
    if (page.length < pageSize) return
    last = page.at(-1)
  }
}

export type ConsentRow = Omit<Consents, 'account_id'>

export const consentPages = (sql: Queryable, accountId: string) =>
  pages<ConsentRow>(
    (after, limit) => sql<ConsentRow[]>`
      select purpose, granted, source, at from consents where account_id = ${accountId}
        ${after ? sql`and (purpose, at) > (${after.purpose}, ${after.at})` : sql``}
      order by purpose, at limit ${limit}`,
  )

export type OrderRow = Pick<
  Orders,
  | 'id'
  | 'parent_order_id'
  | 'package_code'
  | 'package_name'
  | 'destination'
  | 'quantity'
  | 'data_bytes'
  | 'days'
  | 'gross_minor'
  | 'currency'
  | 'status'
  | 'reason'
  | 'payment_kind'
  | 'ad_user_data'
  | 'ad_personalization'
  | 'created_at'
  | 'paid_at'
  | 'delivered_at'
  | 'ended_at'
  | 'ip_country'
  | 'card_country'
  | 'performance_consent'
  | 'performance_consent_at'
>

export const orderPages = (sql: Queryable, accountId: string) =>
  pages<OrderRow>(
    (after, limit) => sql<OrderRow[]>`
      select id, parent_order_id, package_code, package_name, destination, quantity, data_bytes, days, gross_minor,
        currency, status, reason, payment_kind, ad_user_data, ad_personalization, created_at, paid_at, delivered_at,
        ended_at, ip_country, card_country, performance_consent, performance_consent_at
      from orders where account_id = ${accountId}
        ${after ? sql`and (created_at, id) > (${after.created_at}, ${after.id})` : sql``}
      order by created_at, id limit ${limit}`,
  )

export interface OrderParts {
  esims: EsimRow[]
  refunds: Pick<Refunds, 'order_id' | 'amount_minor' | 'state' | 'reason' | 'created_at'>[]
  disputes: (Pick<Disputes, 'state' | 'amount_minor' | 'currency' | 'reason' | 'opened_at' | 'closed_at'> & {
    order_id: string
  })[]
  invoices: InvoiceRow[]
  withdrawals: Withdrawals[]
  history: Pick<OrderHistory, 'order_id' | 'kind' | 'at'>[]
}

type EsimRow = Pick<
  Esims,
  | 'order_id'
  | 'provider'
  | 'iccid'
  | 'activation_code'
  | 'confirmation_code'
  | 'state'
  | 'suspended'
  | 'total_bytes'
  | 'used_bytes'
  | 'activated_at'
  | 'unused_until'
  | 'expires_at'
>

type InvoiceRow = Pick<InvoiceLinks, 'order_id'> &
  Pick<
    Invoices,
    | 'number'
    | 'kind'
    | 'seller'
    | 'description'
    | 'net_minor'
    | 'tax_minor'
    | 'gross_minor'
    | 'tax_rate_bps'
    | 'currency'
    | 'corrects'
  > & {
    /** days, `YYYY-MM-DD` */
    issued_on: string
    supplied_on: string
  }

/** What hangs on the orders of one page. Of one that is being decided about, its history is left out. */
export async function partsOfOrders(sql: Queryable, orderIds: string[]): Promise<OrderParts> {
  const [esims, refunds, disputes, invoices, withdrawals, history] = await Promise.all([
    sql<EsimRow[]>`
      select order_id, provider, iccid, activation_code, confirmation_code, state, suspended, total_bytes, used_bytes,
        activated_at, unused_until, expires_at
      from esims where order_id in ${sql(orderIds)} order by id`,
    sql<OrderParts['refunds']>`
      select order_id, amount_minor, state, reason, created_at from refunds
      where order_id in ${sql(orderIds)} order by created_at`,
    sql<OrderParts['disputes']>`
      select order_id, state, amount_minor, currency, reason, opened_at, closed_at from disputes
      where order_id in ${sql(orderIds)} order by opened_at`,
    sql<InvoiceRow[]>`
      select l.order_id, i.number, i.kind, i.issued_on::text, i.supplied_on::text, i.seller, i.description, i.net_minor,
        i.tax_minor, i.gross_minor, i.tax_rate_bps, i.currency, i.corrects
      from invoice_links l join invoices i on i.number = l.number where l.order_id in ${sql(orderIds)} order by i.number`,
    sql<Withdrawals[]>`select * from withdrawals where order_id in ${sql(orderIds)}`,
    sql<OrderParts['history']>`
      select h.order_id, h.kind, h.at from order_history h
      where h.order_id in ${sql(orderIds)} and not ${isUndecided(sql, sql`h.order_id`)} order by h.at, h.kind, h.source`,
  ])
  return { esims, refunds, disputes, invoices, withdrawals, history }
}

/** What Apple and Google have reported of the person's sign-ins with them. */
export const listSignInEvents = (sql: Queryable, accountId: string) =>
  sql<Pick<SignInEvents, 'provider' | 'topic' | 'at'>[]>`
    select provider, topic, at from sign_in_events where account_id = ${accountId} order by at, provider, topic`

export type TaskRow = Pick<Attention, 'id' | 'kind' | 'detail' | 'opened_at' | 'note' | 'noted_at' | 'resolved_at'> & {
  about: string
}

/** Kinds of operator tasks by which it is decided whether there is fraud. */
const ofFraud = ['fraud_warning', 'fraud_warning_unread']

/**
 * U5, fraud is prevented: whether it is being decided about an order. Who is suspected would learn by what, and get
 * around it.
 */
const isUndecided = (sql: Queryable, orderId: Fragment): Fragment => sql`(
  exists (select from orders o where o.id = ${orderId} and o.status = 'in_review')
  or exists (select from attention f
    where f.subject_id = ${orderId}::text and f.resolved_at is null and f.kind in ${sql(ofFraud)}))`

/** Whether it is being decided about an order of an account: what is noted about the person may say by what. */
const isSuspected = (sql: Queryable, accountId: string): Fragment => sql`
  exists (select from orders suspected
    where suspected.account_id = ${accountId} and ${isUndecided(sql, sql`suspected.id`)})`

/** The operator tasks about the person, but for those about an order that is being decided about, or about no order. */
export const operatorTaskPages = (sql: Queryable, accountId: string) =>
  pages<TaskRow>(
    (after, limit) => sql<TaskRow[]>`
      select a.id, a.kind, a.detail, a.opened_at, a.note, a.noted_at, a.resolved_at, coalesce(s.order_id, a.subject_id) as about
      from attention a join (
        select id::text as subject_id, null as order_id from owned_ids where account_id = ${accountId}
        union select d.stripe_dispute_id, o.id::text
          from disputes d join orders o on o.id = d.order_id where o.account_id = ${accountId}
      ) s on s.subject_id = a.subject_id
      where not ${isUndecided(sql, sql`uuid_or_null(coalesce(s.order_id, a.subject_id))`)}
        and (not ${isSuspected(sql, accountId)}
          or exists (select from orders o where o.id = uuid_or_null(coalesce(s.order_id, a.subject_id))))
        ${after ? sql`and (date_trunc('milliseconds', a.opened_at), a.id) > (${after.opened_at}, ${after.id})` : sql``}
      order by date_trunc('milliseconds', a.opened_at), a.id limit ${limit}`,
  )

export type ActRow = Pick<OperatorActs, 'id' | 'act' | 'order_id' | 'reason' | 'amount_minor' | 'state' | 'asked_at'>

/** The acts of operators about the person, and why; likewise. */
export const operatorActPages = (sql: Queryable, accountId: string) =>
  pages<ActRow>(
    (after, limit) => sql<ActRow[]>`
      select id, act, order_id, reason, amount_minor, state, asked_at from operator_acts
      where account_id = ${accountId} and state <> 'planned' and not ${isUndecided(sql, sql`order_id`)}
        and (order_id is not null or not ${isSuspected(sql, accountId)})
        ${after ? sql`and (date_trunc('milliseconds', asked_at), id) > (${after.asked_at}, ${after.id})` : sql``}
      order by date_trunc('milliseconds', asked_at), id limit ${limit}`,
  )

/** Which of these ids are the person's own. */
export async function ownAmong(sql: Queryable, accountId: string, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql<Pick<OwnedIds, 'id'>[]>`
    select id from owned_ids where account_id = ${accountId} and id = any(${[...ids]}::uuid[])`
  return new Set(rows.map(({ id }) => id))
}

/**
 * What was sent to the person: reminders about them go to operators. Mails about a request that they had made before
 * they signed up name no account.
 */
export type MessageRow = Pick<Sends, 'subject_id' | 'kind' | 'state' | 'first_at'>

export const messagePages = (sql: Queryable, accountId: string) =>
  pages<MessageRow>((after, limit) => {
    const page = sql`kind not like 'mail:operators:%'
      ${after ? sql`and (subject_id, kind) > (${after.subject_id}, ${after.kind})` : sql``}
      order by subject_id, kind limit ${limit}`
    return sql<MessageRow[]>`
      select * from (
        (select subject_id, kind, state, first_at from sends where account_id = ${accountId} and ${page})
        union all
        (select subject_id, kind, state, first_at from sends where account_id is null
          and subject_id in (select id from privacy_requests where ${isRequestOf(sql, accountId)}) and ${page})
      ) sent order by subject_id, kind limit ${limit}`
  })

export type PromotionRow = Pick<CampaignDeliveries, 'campaign_id' | 'state' | 'at'> & Pick<Campaigns, 'subject'>

export const promotionPages = (sql: Queryable, accountId: string) =>
  pages<PromotionRow>(
    (after, limit) => sql<PromotionRow[]>`
      select d.campaign_id, c.subject, d.state, d.at from campaign_deliveries d join campaigns c on c.id = d.campaign_id
      where d.account_id = ${accountId} ${after ? sql`and d.campaign_id > ${after.campaign_id}` : sql``}
      order by d.campaign_id limit ${limit}`,
  )

export type PolicyNoticeRow = Pick<PolicyDeliveries, 'version' | 'notice' | 'state' | 'told_for' | 'sent_at'>

export const policyNoticePages = (sql: Queryable, accountId: string) =>
  pages<PolicyNoticeRow>(
    (after, limit) => sql<PolicyNoticeRow[]>`
      select version, notice, state, told_for, sent_at from policy_deliveries
      where account_id = ${accountId} ${after ? sql`and (version, notice) > (${after.version}, ${after.notice})` : sql``}
      order by version, notice limit ${limit}`,
  )

export type EmailChangeRow = Pick<
  EmailChanges,
  'id' | 'old_email' | 'new_email' | 'state' | 'requested_at' | 'old_confirmed_at' | 'new_confirmed_at' | 'ended_at'
>

export const emailChangePages = (sql: Queryable, accountId: string) =>
  pages<EmailChangeRow>(
    (after, limit) => sql<EmailChangeRow[]>`
      select id, old_email, new_email, state, requested_at, old_confirmed_at, new_confirmed_at, ended_at
      from email_changes
      where account_id = ${accountId}
        ${after ? sql`and (requested_at, id) > (${after.requested_at}, ${after.id})` : sql``}
      order by requested_at, id limit ${limit}`,
  )

export type RequestRow = Pick<
  PrivacyRequests,
  | 'id'
  | 'account_id'
  | 'kind'
  | 'message'
  | 'reply_to'
  | 'state'
  | 'received_at'
  | 'answer_by'
  | 'extended_because'
  | 'answer_kind'
  | 'answer'
  | 'answered_at'
>

export const privacyRequestPages = (sql: Queryable, accountId: string) =>
  pages<RequestRow>(
    (after, limit) => sql<RequestRow[]>`
      select id, account_id, kind, message, reply_to, state, received_at, answer_by, extended_because, answered_at,
        case when is_taken then answer_kind end as answer_kind, case when is_taken then answer end as answer
      from privacy_requests, lateral (select answer_id is null or answer_taken_at is not null as is_taken) as given
      where ${isRequestOf(sql, accountId)}
        ${after ? sql`and (received_at, id) > (${after.received_at}, ${after.id})` : sql``}
      order by received_at, id limit ${limit}`,
  )

/** `ip`: of the person. That of an operator who did something is the operator's, and null here. */
export type SecurityRow = Pick<SecurityLog, 'at' | 'kind' | 'ip'>

const { day: dayMs } = milliseconds

/** The account's events in the security log, one partition (a UTC day) at a time. */
export async function* securityLogPages(
  sql: Queryable,
  accountId: string,
  days: { from: Date; to: Date },
): AsyncGenerator<readonly SecurityRow[]> {
  const first = Math.floor(days.from.getTime() / dayMs) * dayMs
  for (let day = first; day <= days.to.getTime(); day += dayMs) {
    const page = await sql<SecurityRow[]>`
      select at, kind, case when actor not like 'operator:%' then ip end as ip from security_log
      where account_id = ${accountId} and at >= ${new Date(day)} and at < ${new Date(day + dayMs)} order by at`
    if (page.length > 0) yield page
  }
}
