/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Pairs of passing faults at reads
 * of lists, prices and books: nothing is withdrawn, bought twice or taken for clean.
 */
import { expect, test } from 'vitest'
import { untilAnswered } from '../../../cli/restore/until-answered.ts'
import { milliseconds, periods } from '../../../policy/periods.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { type CatalogueSyncState, catalogueSyncType } from '../../../workflows/catalogue/catalogue-sync.contract.ts'
import {
  type ReconciliationReport,
  reconciliationType,
} from '../../../workflows/reconciliation/reconciliation.contract.ts'
import { openCatalogue } from '../../harness/catalogue.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { eachProvider, testPackages } from '../../harness/test-packages.ts'
import { createPlanter, delivered } from '../../workflows/catalogue/planted-trade.ts'
import { missingAtStripe, pairs, passing } from './plant-pairs.ts'

const harness = await shareStack({ books: false })
const { sims } = harness
const { sql, esimProviders } = harness.context
const { ordersAt } = watchPlacements(harness.stack)

const atProvider = pairs(passing)
const providerOf = { esimAccess: 'esim-access', airalo: 'airalo' } as const
const catalogues = { esimAccess: { path: '/package/list' }, airalo: { method: 'GET', path: '/v2/packages' } } as const

const onSale = () => sql`select code from packages where active order by code`

test.each(eachProvider)(
  '%s: a list that comes after pairs of faults withdraws nothing',
  { timeout: 240_000 },
  async (simulator) => {
    const catalogue = await openCatalogue(harness.stack)
    const before = await onSale()
    for (const pair of atProvider) {
      for (const fault of pair) await sims[simulator].fault({ ...fault, match: catalogues[simulator] })
      const { providers } = await runLater<CatalogueSyncState>(harness.stack, catalogueSyncType, 1 / 24)
      expect(providers[providerOf[simulator]].state, JSON.stringify(pair)).toBe('listed')
      expect(await onSale(), JSON.stringify(pair)).toEqual(before)
      await sims[simulator].clearFaults()
    }
    expect(await catalogue.operatorTasks('provider_offers_stale')).toEqual([])
  },
)

test.each(eachProvider)(
  '%s: orders with pairs of faults at the price are filled once',
  { timeout: 240_000 },
  async (simulator, packageCode) => {
    // eSIM Access names its price when it has changed, Airalo each time.
    await sql`update package_offers set cost_micros = cost_micros - 100000 where package_code = ${packageCode}`
    for (const pair of atProvider) {
      for (const fault of pair) await sims[simulator].fault({ ...fault, match: catalogues[simulator] })
      const { id } = await harness.buy(await harness.signUp(), { packageCode, until: ['provisioning', 'delivered'] })
      const status = async (): Promise<string> => (await harness.service.get(`/v1/orders/${id}`)).body.status
      for (let minutes = 0; minutes < 55 && (await status()) === 'provisioning'; minutes += 5)
        await harness.fastForward(id, '5 minutes')
      await harness.untilOrder(id, 'delivered')
      await sims[simulator].clearFaults()
      const { 'esim-access': access = 0, airalo = 0 } = await ordersAt(id)
      expect(access + airalo, JSON.stringify(pair)).toBe(1)
    }
  },
)

test.each(eachProvider)('%s: a restore finds the orders after pairs of faults', async (simulator, packageCode) => {
  const { id } = await harness.buy(await harness.signUp(), { packageCode })
  const [placed] = await sql<{ client_ref: string; order_no: string }[]>`
    select client_ref, provider_order_no as order_no from provider_orders where order_id = ${id}`
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const match = simulator === 'airalo' ? { method: 'GET', path: '/v2/orders\\?' } : { contains: 'startTime' }
  for (const pair of atProvider) {
    for (const fault of pair) await sims[simulator].fault({ ...fault, match })
    const found = await untilAnswered(
      () => esimProviders[providerOf[simulator]].findOrdersOf([placed?.client_ref ?? ''], since),
      1,
    )
    await sims[simulator].clearFaults()
    expect(found, JSON.stringify(pair)).toEqual([{ clientRef: placed?.client_ref, orderNo: placed?.order_no }])
  }
})

test('a restore reads the disputes of a payment after pairs of faults', async () => {
  const { id } = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  const { paymentIntents } = await sims.stripe.state()
  const paymentIntentId = paymentIntents.find(({ metadata }) => metadata.order_id === id)?.id ?? ''
  const match = { method: 'GET', path: `/v1/disputes\\?.*${paymentIntentId}` }
  for (const pair of pairs([...passing, missingAtStripe])) {
    for (const fault of pair) await sims.stripe.fault({ ...fault, match })
    const found = await untilAnswered(() => harness.context.stripe.listDisputes(paymentIntentId), 1)
    await sims.stripe.clearFaults()
    expect(found, JSON.stringify(pair)).toEqual([])
  }
})

const { day: dayMs } = milliseconds

test('the comparison of payments finds the same after pairs of faults at a payment: no difference is missed, none is made up', {
  timeout: 240_000,
}, async () => {
  const { accountId } = await harness.signUp()
  const planter = await createPlanter(harness.stack, accountId)
  const now = Date.now()
  const all = pairs<Fault>([...passing, missingAtStripe])
  const uninvoiced = delivered('esim-access', new Date(now - 2 * dayMs), { invoicedMinor: null })
  // Made just before the time from which Stripe is read, and paid since: Stripe does not list it, and is asked.
  const before = delivered('esim-access', new Date(now - periods.reconciliation.lookBackMs - 3_600_000))
  await planter.plant([uninvoiced, before])
  await sql`update orders set paid_at = paid_at + interval '8 hours' where id = ${before.orderId}`
  const [payments] = await sql<{ uninvoiced: string; before: string }[]>`
    select (select payment_intent_id from orders where id = ${uninvoiced.orderId}) as uninvoiced,
      (select payment_intent_id from orders where id = ${before.orderId}) as before`
  const compare = async (): Promise<Record<string, unknown>> => {
    const report = await runLater<ReconciliationReport>(harness.stack, reconciliationType, 1 / 24, [], {
      timeoutMs: 120_000,
    })
    expect(report.failed).toEqual([])
    const { invoice_missing, payment_unknown } = report.unexplained
    return { invoice_missing, payment_unknown }
  }
  const expected = { invoice_missing: 1, payment_unknown: undefined }
  expect(await compare()).toEqual(expected)
  for (const pair of all) {
    for (const payment of Object.values(payments ?? {}))
      for (const fault of pair)
        await sims.stripe.fault({ ...fault, match: { method: 'GET', path: `/v1/payment_intents/${payment}\\?` } })
    expect(await compare(), JSON.stringify(pair)).toEqual(expected)
    await sims.stripe.clearFaults()
  }
})
