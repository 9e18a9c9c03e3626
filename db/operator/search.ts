/** Finds what an operator was told: an address, a number or an id of ours or of an outside party. */
import { esimProviderIds } from '../../policy/outside-parties.ts'
import { idsOfPrivacyReference } from '../../policy/privacy-reference.ts'
import { emailIndexOf, findAccountByEmail } from '../accounts.ts'
import type { Database } from '../connection/database.ts'
import type {
  Accounts,
  Disputes,
  Esims,
  InvoiceLinks,
  Orders,
  OwnedIds,
  PrivacyRequests,
  ProviderOrders,
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
  'customer',
  'provider_order',
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

const wholeId = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/
/**
 * The start of an id, by which the console names orders and accounts, and people begin to read out a long one; also a
 * whole one without its dashes.
 */
const startOfId = /^[0-9a-f]{8,32}$/
const mostFound = 20
/** Some phones and cards fill an ICCID up with an F. */
const anyIccid = /^(\d{18,22})f*$/
const withoutDashes = (text: string): string => text.replaceAll('-', '')
/** So many digits alone are an ICCID. */
const isStartOfId = (text: string): boolean => startOfId.test(text) && !anyIccid.test(text)
const documentNumber = /ama-[a-z\d-]+/

/** Finds an id of Stripe, also in the address of a page of its dashboard, and without the secret of a payment behind it. */
const idAtStripe =
  (...prefixes: string[]) =>
  (text: string): string | undefined => {
    const found = text.split(/\W/).find((part) => prefixes.some((prefix) => part.startsWith(prefix)))
    return found?.split('_', 2).join('_')
  }
const paymentIn = idAtStripe('pi_')
const refundIn = idAtStripe('re_', 'pyr_')
const disputeIn = idAtStripe('du_', 'dp_')
const customerIn = idAtStripe('cus_')

/** How each form looks, and how it is looked up. A text may have several forms. */
const searches: Readonly<Record<SearchForm, { form(lower: string): boolean; search: Search }>> = {
  email: {
    form: (text) => text.includes('@'),
    async search(context, text) {
      // As a mail program copies a sender: `Ada <ada@example.com>`, `mailto:ada@example.com`.
      const address = text.split(/[\s<>,;:"()]/).find((part) => part.includes('@')) ?? text
      const email = address.replace(/\.$/, '')
      const account = await findAccountByEmail(context.sql, context, email)
      if (account !== undefined) return [{ account }]
      // Those of an account are on its page.
      const rows = await context.sql<Pick<PrivacyRequests, 'id'>[]>`
        select id from privacy_requests where reply_to_index = ${emailIndexOf(context, email)}
          and account_id is null and state <> 'draft' order by id desc limit ${mostFound}`
      return rows.map(({ id }) => ({ request: id }))
    },
  },
  id: {
    // Also the id of a run, as Temporal's Web UI shows it.
    form: (text) => wholeId.test(text) || isStartOfId(withoutDashes(text)),
    async search({ sql }, text) {
      const [id] = wholeId.exec(text) ?? []
      if (id === undefined) return idsThatStartWith(sql, withoutDashes(text))
      const [request] = await sql<Pick<PrivacyRequests, 'id'>[]>`
        select id from privacy_requests where id = ${id} and state <> 'draft'`
      if (request) return [{ request: id }]
      const owned = await sql<Pick<OwnedIds, 'account_id' | 'kind'>[]>`
        select distinct account_id, kind from owned_ids where id = ${id}`
      const [part] = await sql<Pick<Orders, 'id'>[]>`
        select order_id as id from esims where id = ${id}`
      if (part) return [{ order: part.id }]
      return owned.map(({ account_id, kind }) => (kind === 'order' ? { order: id } : { account: account_id }))
    },
  },
  iccid: {
    form: (text) => anyIccid.test(withoutDashes(text)),
    async search(context, text) {
      const [, digits = ''] = anyIccid.exec(withoutDashes(text)) ?? []
      return (await findOrdersByIccid(context, digits)).map((order) => ({ order }))
    },
  },
  document: {
    form: (text) => documentNumber.test(text),
    async search({ sql }, text) {
      const [number = ''] = documentNumber.exec(text) ?? []
      const rows = await sql<Pick<InvoiceLinks, 'order_id'>[]>`
        select order_id from invoice_links where number = ${number.toUpperCase()}`
      return rows.map(({ order_id }) => ({ order: order_id }))
    },
  },
  payment: {
    form: (text) => paymentIn(text) !== undefined,
    async search({ sql }, text) {
      const rows = await sql<Pick<Orders, 'id'>[]>`
        select id from orders where payment_intent_id = ${paymentIn(text) ?? ''}`
      return rows.map(({ id }) => ({ order: id }))
    },
  },
  refund: {
    form: (text) => refundIn(text) !== undefined,
    async search({ sql }, text) {
      const rows = await sql<Pick<Refunds, 'order_id'>[]>`
        select order_id from refunds where stripe_refund_id = ${refundIn(text) ?? ''}`
      return rows.map(({ order_id }) => ({ order: order_id }))
    },
  },
  dispute: {
    form: (text) => disputeIn(text) !== undefined,
    async search({ sql }, text) {
      const rows = await sql<Pick<Disputes, 'order_id'>[]>`
        select order_id from disputes where stripe_dispute_id = ${disputeIn(text) ?? ''}`
      return rows.flatMap(({ order_id }) => (order_id === null ? [] : [{ order: order_id }]))
    },
  },
  customer: {
    form: (text) => customerIn(text) !== undefined,
    async search({ sql }, text) {
      const rows = await sql<Pick<Accounts, 'id'>[]>`
        select id from accounts where stripe_customer_id = ${customerIn(text) ?? ''}`
      return rows.map(({ id }) => ({ account: id }))
    },
  },
  provider_order: {
    // eSIM Access: B22102010075311; Airalo: 9666.
    form: (text) => /^(?:b\d{8,20}|\d{3,12})$/.test(text),
    async search({ sql }, text) {
      const rows = await sql<Pick<ProviderOrders, 'order_id'>[]>`
        select distinct order_id from provider_orders
        where provider = any(${[...esimProviderIds]}) and provider_order_no = ${text.toUpperCase()}`
      return rows.map(({ order_id }) => ({ order: order_id }))
    },
  },
  account_ref: {
    form: (text) => /^[\w-]{20}$/.test(text),
    async search({ sql }, text) {
      const rows = await sql<Pick<Accounts, 'id'>[]>`select id from accounts where account_ref = ${text}`
      return rows.map(({ id }) => ({ account: id }))
    },
  },
  privacy_request: {
    form: (text) => /^pr-?[0-9a-f]{8}$/.test(text),
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
  const [first, last] = [start.padEnd(32, '0'), start.padEnd(32, 'f')]
  const [orders, esims, accounts] = await Promise.all([
    sql<Pick<Orders, 'id'>[]>`select id from orders where id between ${first} and ${last} limit ${mostFound}`,
    sql<Pick<Esims, 'order_id'>[]>`
      select order_id from esims where id between ${first} and ${last} limit ${mostFound}`,
    sql<Pick<Accounts, 'id'>[]>`select id from accounts where id between ${first} and ${last} limit ${mostFound}`,
  ])
  return [
    ...orders.map(({ id }) => ({ order: id })),
    ...esims.map(({ order_id }) => ({ order: order_id })),
    ...accounts.map(({ id }) => ({ account: id })),
  ]
}

/**
 * Addresses keep their spelling; ids and numbers are copied with spaces, in capital letters, with what stands around
 * them in a sentence, and from a PDF with dashes of another kind.
 */
function spellings(text: string): Record<'text' | 'lower', string> {
  const seen = text.replaceAll(/[\p{Default_Ignorable_Code_Point}]/gu, '').trim()
  const joined = seen.includes('@')
    ? seen
    : seen
        .replaceAll(/[\p{Dash}]/gu, '-')
        .replaceAll(/\s/g, '')
        .replaceAll(/^[#"'“„«(:.,]{1,5}|["'”“»).,;:…]{1,5}$/g, '')
  return { text: joined, lower: joined.toLowerCase() }
}

/** Looks a text up in every form that it may have. @returns the forms, and what was found in them */
export async function search(
  context: ColumnEncryption & { sql: Database },
  text: string,
): Promise<{ tried: SearchForm[]; found: Found[] }> {
  const spelled = spellings(text)
  const tried = searchForms.filter((form) => searches[form].form(spelled.lower))
  const found = new Map<string, Found>()
  for (const by of tried) {
    // Ids of Stripe and references of accounts tell capital letters apart.
    const isOurs = ['id', 'iccid', 'document'].includes(by)
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
