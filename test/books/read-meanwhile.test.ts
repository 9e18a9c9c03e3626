/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Trade goes on while the books of
 * others are read: what changes between two reads is no difference.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createBalanceReadings } from '../../activities/reconciliation/balances.ts'
import { createProviderComparison } from '../../activities/reconciliation/providers.ts'
import type { ReconciliationDifferences } from '../../db/connection/schema.ts'
import { insertReconciliation } from '../../db/reconciliation/reconciliations.ts'
import { milliseconds } from '../../policy/periods.ts'
import type { EsimProvider, ListedOrder } from '../../providers/esim.ts'
import type { Compared, ReconciliationStepInput } from '../../workflows/reconciliation/reconciliation.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context
const { esimAccess } = harness.sims
const real = harness.context.esimProviders['esim-access']
const { day, minute } = milliseconds

const withProvider = (changed: Partial<EsimProvider>) => ({
  ...harness.context,
  esimProviders: { ...harness.context.esimProviders, 'esim-access': { ...real, ...changed } },
})

let minutes = 0
/** What one step of a reconciliation finds about a subject. Each is a minute after the one before. */
async function find(subjectId: string, step: (input: ReconciliationStepInput) => Promise<Compared>) {
  const reconciliationId = randomUUID()
  const at = new Date(Date.now() + (minutes++ - 30) * minute)
  const readFrom = new Date(Date.now() - 2 * day)
  await insertReconciliation(sql, { id: reconciliationId, at, readFrom })
  const input = { reconciliationId, from: readFrom.toISOString(), asOf: at.toISOString() }
  await new MockActivityEnvironment().run(() => step(input))
  await sql`update reconciliations set state = 'complete', finished_at = ${at} where id = ${reconciliationId}`
  return [
    ...(await sql<Pick<ReconciliationDifferences, 'kind' | 'explained_by'>[]>`
      select kind, explained_by from reconciliation_differences
      where reconciliation_id = ${reconciliationId} and subject_id = ${subjectId}`),
  ]
}

/** A purchase at the provider for one dollar, which we have counted. */
async function spend(): Promise<void> {
  const { balance } = await esimAccess.state()
  await esimAccess.do('balance', { amount: balance - 10_000 })
  await sql`insert into provider_spending as s (provider, spent_micros) values ('esim-access', 1000000)
    on conflict (provider) do update set spent_micros = s.spent_micros + 1000000`
}

test.each<[what: string, balance: () => ReturnType<EsimProvider['balance']>, foundThen: object[]]>([
  [
    'once after the provider has read its balance',
    (() => {
      let isFirst = true
      return async () => {
        const read = await real.balance()
        if (isFirst) await spend()
        isFirst = false
        return read
      }
    })(),
    [],
  ],
  [
    'each time after the provider has read its balance',
    async () => {
      const read = await real.balance()
      await spend()
      return read
    },
    [],
  ],
  [
    'each time before the provider reads its balance',
    async () => {
      await spend()
      return real.balance()
    },
    [{ kind: 'provider_remainder', explained_by: 'in_flight' }],
  ],
])('a purchase %s is no remainder, in this comparison or the next', async (_what, balance, foundThen) => {
  const night = (of: Partial<EsimProvider>) =>
    find('esim-access', (input) => createBalanceReadings(withProvider(of)).readProviderBalances(input))
  await night({})
  expect(await night({ balance })).toEqual(foundThen)
  expect(await night({})).toEqual([])
})

test('an eSIM that its customer returns while the list of its provider is read is not alive after the refund', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await sql`update provider_orders set placed_after = placed_after - interval '1 day' where order_id = ${order.id}`
  const listed: ListedOrder[] = []
  for await (const page of real.listOrders({
    from: new Date(Date.now() - day).toISOString(),
    to: new Date(Date.now() + minute).toISOString(),
  }))
    listed.push(...page)
  expect(listed.filter(({ alive }) => alive === true)).not.toEqual([])
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')

  async function* listOrders() {
    yield listed
  }
  const compare = (of: Partial<EsimProvider>) =>
    find(order.id, (input) =>
      createProviderComparison(withProvider(of)).compareProvider({ ...input, provider: 'esim-access' }),
    )
  expect(await compare({ listOrders })).toEqual([])
  // One that the provider goes on to call alive is found.
  const getStatus: EsimProvider['getStatus'] = async (esimRef) => ({ ...(await real.getStatus(esimRef)), state: 'new' })
  expect(await compare({ listOrders, getStatus })).toEqual([{ kind: 'esim_alive_after_refund', explained_by: null }])
})

test('an order that one provider has not filled, and another one has, is not owed back', async () => {
  const order = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  await sql`update provider_orders set placed_after = placed_after - interval '1 day' where order_id = ${order.id}`
  await sql`update esims set checked_at = checked_at - interval '2 days' where order_id = ${order.id}`
  const clientRef = randomUUID()
  await sql`
    insert into provider_orders
      (id, order_id, provider, provider_package_code, client_ref, state, reason, placed_after, last_asked_at)
    select ${randomUUID()}, order_id, 'airalo', provider_package_code, ${clientRef}, 'refused', 'out_of_stock',
      placed_after - interval '1 minute', placed_after - interval '1 minute'
    from provider_orders where order_id = ${order.id}`
  const cancelled: ListedOrder = {
    kind: 'order',
    orderNo: '4711',
    clientRef,
    alive: false,
    endedUnused: true,
    unitCostMicros: null,
    costCurrency: 'USD',
    createdAt: null,
  }
  const airalo: EsimProvider = {
    ...harness.context.esimProviders.airalo,
    async *listOrders() {
      yield [cancelled]
    },
  }
  const context = { ...harness.context, esimProviders: { ...harness.context.esimProviders, airalo } }
  const found = await find(order.id, (input) =>
    createProviderComparison(context).compareProvider({ ...input, provider: 'airalo' }),
  )
  expect(found).toEqual([])
})

test('a balance that is too low for any purchase stays an operator task, until it is paid into', async () => {
  const read = (at: Date) =>
    new MockActivityEnvironment().run(() =>
      createBalanceReadings(harness.context).readProviderBalances({ reconciliationId: null, asOf: at.toISOString() }),
    )
  const isLow = async () =>
    (
      await sql`select from attention where kind = 'provider_balance_low' and subject_id = 'esim-access'
      and resolved_at is null`
    ).length > 0
  const now = Date.now()
  const { balance } = await esimAccess.state()
  await read(new Date(now))
  await spend()
  await esimAccess.do('balance', { amount: 3_000 })
  await read(new Date(now + day))
  expect(await isLow()).toBe(true)
  // For a week and more its orders go to the other provider.
  for (const days of [8, 9, 10]) await read(new Date(now + days * day))
  expect(await isLow()).toBe(true)
  await esimAccess.do('balance', { amount: balance })
  await read(new Date(now + 11 * day))
  expect(await isLow()).toBe(false)
})
