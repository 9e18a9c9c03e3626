/** Finds what an operator was told: an address, a number or an id of ours or of an outside party. */
import { idsOfPrivacyReference } from '../../policy/privacy-reference.ts'
import { findAccountByEmail } from '../accounts.ts'
import type { Database } from '../connection/database.ts'
import type {
  Accounts,
  Disputes,
  InvoiceLinks,
  Orders,
  OwnedIds,
  PrivacyRequests,
  Refunds,
} from '../connection/schema.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'
import { ownersOfRequests, type PrivacyRequestRow } from '../privacy-requests.ts'
import { findOrdersByIccid } from './iccids.ts'

export const searchForms = [
  'email',
  'id',
  'iccid',
  'document',
  'payment',
  'refund',
  'dispute',
  'account_ref',
  'privacy_request',
] as const
/** The form that a searched text was taken for. */
export type SearchForm = (typeof searchForms)[number]

interface FoundBy {
  id: string
  /** the text was found as this */
  by: SearchForm
}

/** An order, an account, or a privacy request, which may be of somebody without an account. */
export type Found =
  | (FoundBy & {
      kind: 'order'
      accountId: string
      order: { packageName: string; status: Orders['status']; createdAt: Date }
    })
  | (FoundBy & { kind: 'account'; accountId: string })
  | (FoundBy & {
      kind: 'privacy_request'
      accountId: string | null
      request: { kind: PrivacyRequestRow['kind']; state: PrivacyRequestRow['state']; answerBy: Date }
    })

type Hit = { order: string } | { account: string } | { request: string }
type Search = (context: ColumnEncryption & { sql: Database }, text: string) => Promise<Hit[]>

/** Also the start of one, by which the console names orders and accounts, and people begin to read out a long one. */
const anyId = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|^[0-9a-f]{8}$/
const startLength = 8
const mostOfOneStart = 20

/** How each form looks, and how it is looked up. A text may have several forms. */
const searches: Readonly<Record<SearchForm, { form: RegExp; search: Search }>> = {
  email: {
    form: /@/,
    async search(context, text) {
      const account = await findAccountByEmail(context.sql, context, text)
      return account === undefined ? [] : [{ account }]
    },
  },
  id: {
    // Also the id of a run, as Temporal's Web UI shows it.
    form: anyId,
    async search({ sql }, text) {
      const id = anyId.exec(text)?.[0] ?? ''
      if (id.length === startLength) return idsThatStartWith(sql, id)
      const owned = await sql<Pick<OwnedIds, 'account_id' | 'kind'>[]>`
        select distinct account_id, kind from owned_ids where id = ${id}`
      const [part] = await sql<Pick<Orders, 'id'>[]>`
        select order_id as id from esims where id = ${id}`
      if (part) return [{ order: part.id }]
      return owned.map(({ account_id, kind }) => (kind === 'order' ? { order: id } : { account: account_id }))
    },
  },
  iccid: {
    form: /^\d{18,22}$/,
    search: async (context, text) => (await findOrdersByIccid(context, text)).map((order) => ({ order })),
  },
  document: {
    form: /^ama-/,
    async search({ sql }, text) {
      const rows = await sql<Pick<InvoiceLinks, 'order_id'>[]>`
        select order_id from invoice_links where number = ${text.toUpperCase()}`
      return rows.map(({ order_id }) => ({ order: order_id }))
    },
  },
  payment: {
    form: /^pi_/,
    async search({ sql }, text) {
      const rows = await sql<Pick<Orders, 'id'>[]>`select id from orders where payment_intent_id = ${text}`
      return rows.map(({ id }) => ({ order: id }))
    },
  },
  refund: {
    form: /^(re|pyr)_/,
    async search({ sql }, text) {
      const rows = await sql<Pick<Refunds, 'order_id'>[]>`
        select order_id from refunds where stripe_refund_id = ${text}`
      return rows.map(({ order_id }) => ({ order: order_id }))
    },
  },
  dispute: {
    form: /^(du|dp)_/,
    async search({ sql }, text) {
      const rows = await sql<Pick<Disputes, 'order_id'>[]>`
        select order_id from disputes where stripe_dispute_id = ${text}`
      return rows.flatMap(({ order_id }) => (order_id === null ? [] : [{ order: order_id }]))
    },
  },
  account_ref: {
    form: /^[\w-]{20}$/,
    async search({ sql }, text) {
      const rows = await sql<Pick<Accounts, 'id'>[]>`select id from accounts where account_ref = ${text}`
      return rows.map(({ id }) => ({ account: id }))
    },
  },
  privacy_request: {
    form: /^pr-?[0-9a-f]{8}$/,
    async search({ sql }, text) {
      const ids = idsOfPrivacyReference(text)
      if (!ids) return []
      const rows = await sql<Pick<PrivacyRequests, 'id'>[]>`
        select id from privacy_requests where id between ${ids.first} and ${ids.last} and state <> 'draft' order by id`
      return rows.map(({ id }) => ({ request: id }))
    },
  },
}

async function idsThatStartWith(sql: Database, start: string): Promise<Hit[]> {
  const first = `${start}-0000-0000-0000-000000000000`
  const last = `${start}-ffff-ffff-ffff-ffffffffffff`
  const [orders, accounts] = await Promise.all([
    sql<Pick<Orders, 'id'>[]>`select id from orders where id between ${first} and ${last} limit ${mostOfOneStart}`,
    sql<Pick<Accounts, 'id'>[]>`select id from accounts where id between ${first} and ${last} limit ${mostOfOneStart}`,
  ])
  return [...orders.map(({ id }) => ({ order: id })), ...accounts.map(({ id }) => ({ account: id }))]
}

/** Addresses keep their spelling; ids and numbers are often copied with spaces or in capital letters. */
function spellings(text: string): Record<'text' | 'lower', string> {
  const trimmed = text.trim()
  const joined = trimmed.includes('@') ? trimmed : trimmed.replaceAll(/\s/g, '')
  return { text: joined, lower: joined.toLowerCase() }
}

/** Looks a text up in every form that it may have. @returns the forms, and what was found in them */
export async function search(
  context: ColumnEncryption & { sql: Database },
  text: string,
): Promise<{ tried: SearchForm[]; found: Found[] }> {
  const spelled = spellings(text)
  const tried = searchForms.filter((form) => searches[form].form.test(spelled.lower))
  const found = new Map<string, Found>()
  for (const by of tried) {
    // Ids of Stripe and references of accounts tell capital letters apart.
    const isOurs = by === 'id' || by === 'document'
    for (const hit of await searches[by].search(context, isOurs ? spelled.lower : spelled.text)) {
      const seen = await describe(context.sql, hit, by)
      if (seen) found.set(`${seen.kind} ${seen.id}`, seen)
    }
  }
  return { tried, found: [...found.values()] }
}

async function describe(sql: Database, hit: Hit, by: SearchForm): Promise<Found | undefined> {
  if ('account' in hit) return { kind: 'account', id: hit.account, accountId: hit.account, by }
  if ('request' in hit) {
    const [row] = await sql<Pick<PrivacyRequestRow, 'id' | 'kind' | 'state' | 'answer_by'>[]>`
      select id, kind, state, answer_by from privacy_requests where id = ${hit.request} and state <> 'draft'`
    if (!row) return undefined
    const request = { kind: row.kind, state: row.state, answerBy: row.answer_by }
    const accountId = (await ownersOfRequests(sql, [row])).get(row.id) ?? null
    return { kind: 'privacy_request', id: row.id, accountId, by, request }
  }
  const [row] = await sql<Pick<Orders, 'id' | 'account_id' | 'package_name' | 'status' | 'created_at'>[]>`
    select id, account_id, package_name, status, created_at from orders where id = ${hit.order}`
  return (
    row && {
      kind: 'order',
      id: row.id,
      accountId: row.account_id,
      by,
      order: { packageName: row.package_name, status: row.status, createdAt: row.created_at },
    }
  )
}
