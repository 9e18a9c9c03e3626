/** G5: reads a person's rows in pages, one statement each, so that a long history needs little memory. */
import type { Queryable } from './connection/database.ts'

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

export interface ConsentRow {
  purpose: string
  granted: boolean
  source: string
  at: Date
}

export const consentPages = (sql: Queryable, accountId: string) =>
  pages<ConsentRow>(
    (after, limit) => sql<ConsentRow[]>`
      select purpose, granted, source, at from consents where account_id = ${accountId}
        ${after ? sql`and (purpose, at) > (${after.purpose}, ${after.at})` : sql``}
      order by purpose, at limit ${limit}`,
  )

export interface OrderRow {
  id: string
  parent_order_id: string | null
  package_code: string
  package_name: string
  destination: string
  quantity: number
  data_bytes: bigint | null
  days: number
  gross_minor: number
  currency: string
  status: string
  reason: string | null
  payment_kind: string | null
  ad_user_data: boolean
  ad_personalization: boolean
  created_at: Date
  paid_at: Date | null
  delivered_at: Date | null
  ended_at: Date | null
}

export const orderPages = (sql: Queryable, accountId: string) =>
  pages<OrderRow>(
    (after, limit) => sql<OrderRow[]>`
      select id, parent_order_id, package_code, package_name, destination, quantity, data_bytes, days, gross_minor,
        currency, status, reason, payment_kind, ad_user_data, ad_personalization, created_at, paid_at, delivered_at,
        ended_at
      from orders where account_id = ${accountId}
        ${after ? sql`and (created_at, id) > (${after.created_at}, ${after.id})` : sql``}
      order by created_at, id limit ${limit}`,
  )

export interface OrderParts {
  esims: EsimRow[]
  refunds: { order_id: string; amount_minor: number; state: string; reason: string; created_at: Date }[]
  disputes: { order_id: string; state: string; opened_at: Date; closed_at: Date | null }[]
  invoices: InvoiceRow[]
}

interface EsimRow {
  order_id: string
  provider: string
  iccid: Buffer
  activation_code: Buffer
  confirmation_code: Buffer | null
  state: string
  suspended: boolean
  total_bytes: bigint | null
  used_bytes: bigint
  activated_at: Date | null
  unused_until: Date | null
  expires_at: Date | null
}

interface InvoiceRow {
  order_id: string
  number: string
  kind: 'invoice' | 'credit_note'
  issued_on: string
  supplied_on: string
  seller: string
  description: string
  net_minor: number
  tax_minor: number
  gross_minor: number
  tax_rate_bps: number
  currency: string
  corrects: string | null
}

/** The eSIMs, refunds, disputes and invoices of the orders of one page. */
export async function partsOfOrders(sql: Queryable, orderIds: string[]): Promise<OrderParts> {
  const [esims, refunds, disputes, invoices] = await Promise.all([
    sql<EsimRow[]>`
      select order_id, provider, iccid, activation_code, confirmation_code, state, suspended, total_bytes, used_bytes,
        activated_at, unused_until, expires_at
      from esims where order_id in ${sql(orderIds)} order by id`,
    sql<OrderParts['refunds']>`
      select order_id, amount_minor, state, reason, created_at from refunds
      where order_id in ${sql(orderIds)} order by created_at`,
    sql<OrderParts['disputes']>`
      select order_id, state, opened_at, closed_at from disputes where order_id in ${sql(orderIds)} order by opened_at`,
    sql<InvoiceRow[]>`
      select l.order_id, i.number, i.kind, i.issued_on::text, i.supplied_on::text, i.seller, i.description, i.net_minor,
        i.tax_minor, i.gross_minor, i.tax_rate_bps, i.currency, i.corrects
      from invoice_links l join invoices i on i.number = l.number where l.order_id in ${sql(orderIds)} order by i.number`,
  ])
  return { esims, refunds, disputes, invoices }
}

export interface MessageRow {
  subject_id: string
  kind: string
  state: string
  first_at: Date
}

export const messagePages = (sql: Queryable, accountId: string) =>
  pages<MessageRow>(
    (after, limit) => sql<MessageRow[]>`
      select subject_id, kind, state, first_at from sends where account_id = ${accountId}
        ${after ? sql`and (subject_id, kind) > (${after.subject_id}, ${after.kind})` : sql``}
      order by subject_id, kind limit ${limit}`,
  )

export interface PromotionRow {
  campaign_id: string
  subject: string
  state: string
  at: Date
}

export const promotionPages = (sql: Queryable, accountId: string) =>
  pages<PromotionRow>(
    (after, limit) => sql<PromotionRow[]>`
      select d.campaign_id, c.subject, d.state, d.at from campaign_deliveries d join campaigns c on c.id = d.campaign_id
      where d.account_id = ${accountId} ${after ? sql`and d.campaign_id > ${after.campaign_id}` : sql``}
      order by d.campaign_id limit ${limit}`,
  )

export interface PolicyNoticeRow {
  version: string
  notice: string
  state: string
  told_for: Date
  sent_at: Date | null
}

export const policyNoticePages = (sql: Queryable, accountId: string) =>
  pages<PolicyNoticeRow>(
    (after, limit) => sql<PolicyNoticeRow[]>`
      select version, notice, state, told_for, sent_at from policy_deliveries
      where account_id = ${accountId} ${after ? sql`and (version, notice) > (${after.version}, ${after.notice})` : sql``}
      order by version, notice limit ${limit}`,
  )

export interface EmailChangeRow {
  id: string
  old_email: Buffer | null
  new_email: Buffer | null
  state: string
  requested_at: Date
  old_confirmed_at: Date | null
  new_confirmed_at: Date | null
  ended_at: Date | null
}

export const emailChangePages = (sql: Queryable, accountId: string) =>
  pages<EmailChangeRow>(
    (after, limit) => sql<EmailChangeRow[]>`
      select id, old_email, new_email, state, requested_at, old_confirmed_at, new_confirmed_at, ended_at
      from email_changes
      where account_id = ${accountId}
        ${after ? sql`and (requested_at, id) > (${after.requested_at}, ${after.id})` : sql``}
      order by requested_at, id limit ${limit}`,
  )

export interface RequestRow {
  id: string
  kind: string
  message: Buffer
  reply_to: Buffer | null
  state: string
  received_at: Date
  answer_by: Date
  extended_because: string | null
  answer_kind: string | null
  answer: Buffer | null
  answered_at: Date | null
}

export const privacyRequestPages = (sql: Queryable, accountId: string) =>
  pages<RequestRow>(
    (after, limit) => sql<RequestRow[]>`
      select id, kind, message, reply_to, state, received_at, answer_by, extended_because, answered_at,
        case when is_taken then answer_kind end as answer_kind, case when is_taken then answer end as answer
      from privacy_requests, lateral (select answer_id is null or answer_taken_at is not null as is_taken) as given
      where account_id = ${accountId}
        ${after ? sql`and (received_at, id) > (${after.received_at}, ${after.id})` : sql``}
      order by received_at, id limit ${limit}`,
  )

export interface SecurityRow {
  at: Date
  kind: string
  ip: Buffer | null
}

const dayMs = 24 * 60 * 60 * 1000

/** The account's events in the security log, one partition (a UTC day) at a time. */
export async function* securityLogPages(
  sql: Queryable,
  accountId: string,
  days: { from: Date; to: Date },
): AsyncGenerator<readonly SecurityRow[]> {
  const first = Math.floor(days.from.getTime() / dayMs) * dayMs
  for (let day = first; day <= days.to.getTime(); day += dayMs) {
    const page = await sql<SecurityRow[]>`
      select at, kind, ip from security_log
      where account_id = ${accountId} and at >= ${new Date(day)} and at < ${new Date(day + dayMs)} order by at`
    if (page.length > 0) yield page
  }
}
