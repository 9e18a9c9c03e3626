/**
 * Months of trade at once: rows of orders, and what Stripe and the eSIM providers have of them. Planted directly, since
 * ten thousand orders by the API would take an hour.
 */
import { randomUUID } from 'node:crypto'
import { paymentMark } from '../../../activities/order/payment/payment-mark.ts'
import type { Stack } from '../../../dev/stack.ts'
import type { PlantedOrder as AtAiralo } from '../../../sim/airalo/store.ts'
import type { PlantedOrder as AtEsimAccess } from '../../../sim/esim-access/records.ts'
import type { PlantedPayment } from '../../../sim/stripe/planting.ts'

export interface Trade {
  orderId: string
  clientRef: string
  at: Date
  provider: 'esim-access' | 'airalo'
  status: 'delivered' | 'ended' | 'refunded' | 'provisioning'
  /** false: the order is not in our database */
  known: boolean
  /** payments at Stripe */
  payments: number
  refundedMinor: number
  disputed: boolean
  /** null: no invoice */
  invoicedMinor: number | null
  creditedMinor: number
  /** orders at the provider under our reference */
  placed: number
  /** false: we have no placement */
  placement: boolean
  /** in our database */
  esims: number
  cancelled: boolean
  netPrice: number
}

export const paidMinor = 500
const codes = { 'esim-access': 'CKH100', airalo: 'hallo-mobil-7days-1gb' } as const
const batch = 2_000

export function delivered(provider: Trade['provider'], at: Date, change: Partial<Trade> = {}): Trade {
  return {
    orderId: randomUUID(),
    clientRef: randomUUID(),
    at,
    provider,
    status: 'delivered',
    known: true,
    payments: 1,
    refundedMinor: 0,
    disputed: false,
    invoicedMinor: paidMinor,
    creditedMinor: 0,
    placed: 1,
    placement: true,
    esims: 1,
    cancelled: false,
    netPrice: 0,
    ...change,
  }
}

/** Returned unused: the eSIM is returned and the money refunded, with a credit note. */
export const givenBack = (provider: Trade['provider'], at: Date, change: Partial<Trade> = {}): Trade =>
  delivered(provider, at, {
    status: 'refunded',
    refundedMinor: paidMinor,
    creditedMinor: paidMinor,
    cancelled: true,
    ...change,
  })

export async function createPlanter(stack: Stack, accountId: string) {
  const { sims } = stack
  const { sql, cipher } = stack.context
  const offered = await stack.context.esimProviders.airalo.listPackages()
  const airaloPrice = (offered.find(({ code }) => code === codes.airalo)?.costMicros ?? 0) / 1_000_000
  let sequence = 0

  async function plantBatch(trades: readonly Trade[]): Promise<{ strays: string[] }> {
    const payments = trades.flatMap((trade) => Array.from({ length: trade.payments }, () => ({ trade })))
    const { planted: paid } = await sims.stripe.do('plant', {
      payments: payments.map(
        ({ trade: { orderId, at, refundedMinor, disputed } }): PlantedPayment => ({
          amount: paidMinor,
          currency: 'eur',
          metadata: { order_id: orderId, mark: paymentMark(cipher, orderId) },
          created: Math.floor(at.getTime() / 1000),
          ...(refundedMinor > 0 && { refunded: refundedMinor }),
          disputed,
        }),
      ),
    })
    const paymentOf = new Map<string, string>()
    const strays: string[] = []
    for (const [index, { trade }] of payments.entries()) {
      const paymentIntent = paid[index]?.paymentIntent ?? ''
      if (!trade.known) strays.push(paymentIntent)
      // The first is the order's own.
      if (!paymentOf.has(trade.orderId)) paymentOf.set(trade.orderId, paymentIntent)
    }
    const orderNoOf = await plantPlacements(trades)
    await insertRows(
      trades
        .filter(({ known }) => known)
        .map((trade) => rowOf(trade, paymentOf.get(trade.orderId) ?? `pi_${trade.orderId}`, orderNoOf)),
    )
    return { strays }
  }

  async function plantPlacements(trades: readonly Trade[]): Promise<Map<string, string>> {
    const orderNoOf = new Map<string, string>()
    const each = (provider: Trade['provider']) =>
      trades
        .filter((trade) => trade.provider === provider)
        .flatMap((trade) => Array.from({ length: trade.placed }, () => trade))
    const first = (trade: Trade | undefined, orderNo: string): void => {
      if (trade && !orderNoOf.has(trade.clientRef)) orderNoOf.set(trade.clientRef, orderNo)
    }
    const access = each('esim-access')
    const { planted } = await sims.esimAccess.do('plant', {
      orders: access.map(
        ({ clientRef, at, cancelled }): AtEsimAccess => ({
          packageCode: codes['esim-access'],
          transactionId: clientRef,
          createdAt: at.getTime(),
          cancelled,
        }),
      ),
    })
    for (const [index, { orderNo }] of planted.entries()) first(access[index], orderNo)
    const airalo = each('airalo')
    const { planted: atAiralo } = await sims.airalo.do('plant', {
      orders: airalo.map(
        ({ clientRef, at, cancelled, netPrice }): AtAiralo => ({
          packageId: codes.airalo,
          description: clientRef,
          createdAt: at.getTime(),
          refunded: cancelled,
          ...(netPrice > 0 && { netPrice }),
        }),
      ),
    })
    for (const [index, { orderId }] of atAiralo.entries()) first(airalo[index], String(orderId))
    return orderNoOf
  }

  function rowOf(trade: Trade, paymentIntent: string, orderNoOf: ReadonlyMap<string, string>) {
    sequence += 1
    const { orderId, at, status, provider } = trade
    const after = (minutes: number): string => new Date(at.getTime() + minutes * 60_000).toISOString()
    return {
      id: orderId,
      fact: randomUUID(),
      payment: paymentIntent,
      status,
      created: at.toISOString(),
      deliver_by: after(60),
      delivered: status === 'provisioning' ? null : after(1),
      ended: status === 'provisioning' ? null : after(2),
      refunded: trade.creditedMinor,
      invoiced: trade.invoicedMinor,
      invoice: `PLANTED-${sequence}`,
      sequence,
      credited: trade.creditedMinor,
      placement: trade.placement ? randomUUID() : null,
      esims: status === 'provisioning' ? 0 : trade.esims,
      provider,
      code: codes[provider],
      client_ref: trade.clientRef,
      order_no: orderNoOf.get(trade.clientRef) ?? `NONE-${sequence}`,
      cost: provider === 'airalo' ? Math.round(airaloPrice * 1_000_000) : 900_000,
    }
  }

  async function insertRows(rows: ReturnType<typeof rowOf>[]): Promise<void> {
    const planted = sql`
      select * from jsonb_to_recordset(${sql.json(rows)}) as r (
        id uuid, fact uuid, payment text, status text, created timestamptz, deliver_by timestamptz,
        delivered timestamptz, ended timestamptz, refunded integer, invoiced integer, invoice text, sequence integer,
        credited integer, placement uuid, esims integer, provider text, code text, client_ref text, order_no text, cost bigint)`
    await sql`
      insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, refunded_minor, currency, outcome)
      select fact, created::date, 'Germany', 'DE', 1, ${paidMinor}, refunded, 'EUR',
        case status when 'provisioning' then 'paid' when 'ended' then 'delivered' else status end from (${planted}) r`
    await sql`
      insert into orders (id, account_id, request_hash, package_code, package_name, destination, quantity, days,
        gross_minor, currency, status, payment_intent_id, fact_id, created_at, payment_due_at, paid_at, deliver_by,
        delivered_at, ended_at)
      select id, ${accountId}, ''::bytea, 'test-germany-1gb', 'Germany', 'DE', 1, 7, ${paidMinor}, 'EUR', status, payment,
        fact, created, created, created, deliver_by, delivered, ended from (${planted}) r`
    const invoices = (kind: 'invoice' | 'credit_note') => sql`
      insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description, destination,
        quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind, corrects)
      select ${kind === 'invoice' ? sql`invoice` : sql`invoice || '-CN'`}, ${`PLANTED-${kind}`}, sequence, ${kind},
        created::date, created::date, 'AMA', 'Germany', 'DE', 1, amount, 0, amount, 0, 'EUR', 'card',
        ${kind === 'invoice' ? sql`null` : sql`invoice`}
      from (select r.*, ${kind === 'invoice' ? sql`invoiced` : sql`-credited`} as amount from (${planted}) r) r
      where ${kind === 'invoice' ? sql`invoiced is not null` : sql`credited > 0 and invoiced is not null`}`
    await invoices('invoice')
    await invoices('credit_note')
    await sql`
      insert into invoice_links (order_id, document_key, number)
      select id, 'invoice', invoice from (${planted}) r where invoiced is not null
      union all select id, 'credit_note', invoice || '-CN' from (${planted}) r where credited > 0 and invoiced is not null`
    await sql`
      insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, provider_order_no, state,
        placed_after, last_asked_at, expected_cost_micros)
      select placement, id, provider, code, client_ref, order_no, 'provided', created, created, cost
      from (${planted}) r where placement is not null`
    // Nobody opens what is sealed in them.
    await sql`
      insert into esims (id, order_id, provider, esim_ref, esim_ref_index, iccid, activation_code, state, checked_at)
      select gen_random_uuid(), id, provider, sealed, uuid_send(gen_random_uuid()), sealed, sealed, 'new', created
      from (${planted}) r, generate_series(1, esims),
        (select decode('01' || repeat('00', 28), 'hex') as sealed) as nothing`
  }

  return {
    airaloPrice,
    /** @returns the payments of orders that are not in the database */
    async plant(trades: readonly Trade[]): Promise<{ strays: string[] }> {
      const strays: string[] = []
      for (let start = 0; start < trades.length; start += batch) {
        strays.push(...(await plantBatch(trades.slice(start, start + batch))).strays)
      }
      return { strays }
    },
  }
}
