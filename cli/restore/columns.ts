/**
 * From where each column of the rebuilt rows comes, compared with what the outside books and the runs have. A new
 * column does not compile without a line: somebody has to say what a restore makes of it.
 */
import type {
  DeletionSteps,
  Deletions,
  Esims,
  InvoiceLinks,
  Invoices,
  OrderFacts,
  OrderHistory,
  Orders,
  ProviderOrders,
  Refunds,
  Withdrawals,
} from '../../db/connection/schema.ts'

/**
 * - `run`: the run's input, or what its activities were given and have answered. `nearly`: histories have the time at
 *   which a local activity was scheduled, and not the one by which the workflow decided.
 * - `stripe`, `provider`: what they say now.
 * - `catalogue`, `account`, `settings`: of the dump, or of the restore.
 * - `computed`: from the others, the same each time.
 * - `new`: random or sealed anew, and the same to whoever uses it.
 * - `lost`: the lost database alone knew it, or nobody needs it. The rest of the line says why nothing is missing.
 */
type Source =
  | 'run'
  | 'run, nearly'
  | 'stripe'
  | 'provider'
  | 'catalogue'
  | 'account'
  | 'settings'
  | 'computed'
  | 'new'
  | `lost: ${string}`

type Columns<Row> = { readonly [Column in keyof Row]: Source }

export const rebuiltColumns = {
  orders: {
    id: 'run',
    account_id: 'run',
    parent_order_id: 'run',
    esim_id: 'run',
    request_hash: 'lost: orders have had none since requests are compared by their keys',
    package_code: 'run',
    package_name: 'catalogue',
    destination: 'catalogue',
    quantity: 'run',
    data_bytes: 'catalogue',
    days: 'catalogue',
    gross_minor: 'stripe',
    currency: 'stripe',
    status: 'run',
    reason: 'run',
    payment_intent_id: 'stripe',
    payment_client_secret: 'new',
    customer_session_secret: 'lost: Stripe ends it after 30 minutes, and the payment sheet takes new cards without it',
    payment_kind: 'stripe',
    ad_user_data: 'run',
    ad_personalization: 'run',
    measurement_event_id: 'lost: a purchase that was measured under the lost id must not be measured again',
    install_token: 'new',
    install_token_index: 'computed',
    fact_id: 'new',
    created_at: 'run',
    payment_due_at: 'run, nearly',
    paid_at: 'run, nearly',
    deliver_by: 'run',
    delivered_at: 'run, nearly',
    ended_at: 'run, nearly',
    performance_consent: 'run',
    performance_consent_at: 'run',
    ip_country: 'run',
    card_country: 'stripe',
    checkout_session_id: 'stripe',
  } satisfies Columns<Orders>,
  provider_orders: {
    id: 'new',
    order_id: 'run',
    provider: 'provider',
    provider_package_code: 'catalogue',
    client_ref: 'provider',
    provider_order_no: 'provider',
    state: 'run',
    reason: 'lost: of requests that were refused, which are not rebuilt',
    placed_after: 'run, nearly',
    last_asked_at: 'run, nearly',
    expected_cost_micros: 'lost: the balance has fallen by it already, and balances are compared anew',
    charged_micros: 'lost: the next reconciliation reads it from the provider',
    confirmed_at: 'lost: the next reconciliation confirms it',
    returns_asked: 'lost: staff of a provider is asked for an open return once more, and answers it once',
    return_asking_until: 'lost: no worker of before the restore asks any more',
  } satisfies Columns<ProviderOrders>,
  esims: {
    id: 'computed',
    order_id: 'run',
    provider: 'provider',
    esim_ref: 'new',
    esim_ref_index: 'computed',
    iccid: 'new',
    iccid_index: 'computed',
    activation_code: 'new',
    confirmation_code: 'new',
    apn: 'provider',
    state: 'run',
    suspended: 'lost: the payment sweep reads the dispute again, and the next look at the eSIM suspends it again',
    total_bytes: 'provider',
    used_bytes: 'provider',
    activated_at: 'provider',
    unused_until: 'provider',
    expires_at: 'provider',
    return_asked_at: 'run, nearly',
    checked_at: 'lost: the next look writes it',
    validity_starts: 'catalogue',
    supports_top_up: 'catalogue',
  } satisfies Columns<Esims>,
  refunds: {
    order_id: 'run',
    refund_key: 'stripe',
    amount_minor: 'stripe',
    stripe_refund_id: 'stripe',
    state: 'stripe',
    reason: 'run',
    created_at: 'run, nearly',
    credit_note: 'run',
    returns_esims: 'run',
  } satisfies Columns<Refunds>,
  invoice_links: { order_id: 'run', document_key: 'computed', number: 'run' } satisfies Columns<InvoiceLinks>,
  invoices: {
    number: 'run',
    series: 'run',
    sequence: 'run',
    kind: 'run',
    issued_on: 'run',
    supplied_on: 'run',
    seller: 'settings',
    description: 'catalogue',
    destination: 'catalogue',
    quantity: 'run',
    net_minor: 'computed',
    tax_minor: 'computed',
    gross_minor: 'stripe',
    tax_rate_bps: 'computed',
    currency: 'stripe',
    payment_kind: 'stripe',
    corrects: 'run',
    vat_country: 'computed',
    vat_scope: 'computed',
    vat_evidence: 'computed',
    vat_card_country: 'stripe',
    vat_ip_country: 'run',
  } satisfies Columns<Invoices>,
  order_facts: {
    id: 'new',
    paid_on: 'run',
    package_name: 'catalogue',
    destination: 'catalogue',
    quantity: 'run',
    gross_minor: 'stripe',
    refunded_minor: 'stripe',
    currency: 'stripe',
    outcome: 'run',
  } satisfies Columns<OrderFacts>,
  order_history: {
    order_id: 'run',
    kind: 'run',
    source: 'stripe',
    at: 'run, nearly',
    detail: 'run',
  } satisfies Columns<OrderHistory>,
  withdrawals: {
    order_id: 'run',
    name: 'account',
    opened_at: 'run, nearly',
    stated_at: 'run, nearly',
    statement: 'account',
  } satisfies Columns<Withdrawals>,
  deletions: {
    receipt_id: 'run',
    account_ref: 'run',
    reason: 'run',
    erased_at: 'run',
    backups_gone_by: 'run',
    completed_at: 'run, nearly',
    logged: 'lost: the next night appends its statements again, and one that the public log has is left out',
  } satisfies Columns<Deletions>,
  deletion_steps: {
    receipt_id: 'run',
    processor: 'run',
    state: 'run',
    code: 'run',
    changed_at: 'run, nearly',
  } satisfies Columns<DeletionSteps>,
} as const

type RebuiltTable = keyof typeof rebuiltColumns

/**
 * What a restore has to bring back of a row as it was: without the columns that are lost or new each time, and of the
 * times that are nearly the same only whether they are there.
 */
export function broughtBack(table: RebuiltTable, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const sources: Readonly<Record<string, Source>> = rebuiltColumns[table]
  return Object.fromEntries(
    Object.entries(row).flatMap(([column, value]) => {
      const source = sources[column]
      if (source === undefined) return [[column, value]]
      if (source === 'new' || source.startsWith('lost: ')) return []
      return [[column, source.endsWith(', nearly') ? value !== null : value]]
    }),
  )
}
