/**
 * An outage of both eSIM providers: all paid orders wait. One bulk refund settles them while the worker is killed again
 * and again and Stripe fails for every tenth refund. `npm test -- --all test/operation/bulk-outage.long.test.ts` plays
 * it with 500 orders, kills the worker every 5 s (on a busy machine later, when our programs have had half of what two
 * cores do in 5 s), and says what took how long.
 */
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { cpuOfOurs, cpuPerJob, cpuTime } from '../../bench/cpu.ts'
import { builtPrograms } from '../../cli/programs/built.mjs'
import { claimPort } from '../../dev/port.ts'
import { fromBuilt, startWorkerProcess } from '../../dev/programs/separate-processes.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'

const isLarge = process.env.TEST_ALL === '1'
const orderCount = isLarge ? 500 : 40
const killEveryMs = 5_000
/** The suite kills the worker by what it has done. */
const killsByProgress = 3
const harness = await openHarness({ workers: 0, settings: { SECOND_OPERATOR_ABOVE_MINOR: '1000000' } })
const { operator, service, sims } = harness
const { sql } = harness.context
const timeLimit = { timeoutMs: 900_000, everyMs: 250 }
/** How often the run says how far it is. */
const settledPerLine = 50

// As production starts it. From its sources, a start takes as long as the worker then lives.
const built = await fromBuilt(await builtPrograms(), 'worker')

const startWorker = async () =>
  startWorkerProcess(
    {
      env: process.env,
      settings: Promise.resolve(harness.settings),
      ...built,
      onLine: (line) => void harness.logLines.push(line),
    },
    await claimPort(0),
  )

/** Says what is done, with the seconds since the line before, and the processor time of all our programs meanwhile. */
async function watchPhases() {
  let since = { at: performance.now(), cpu: await cpuTime() }
  return async (done: string): Promise<{ seconds: number; cpuSeconds: number }> => {
    const now = { at: performance.now(), cpu: await cpuTime() }
    const seconds = round((now.at - since.at) / 1000)
    const cpuSeconds = round((cpuOfOurs(now.cpu) - cpuOfOurs(since.cpu)) / 1000)
    const parts = Object.entries(cpuPerJob(since.cpu, now.cpu, 1000)).map(([part, of]) => `${part} ${round(of)}`)
    since = now
    process.stdout.write(`${done}: ${seconds} s, ${cpuSeconds} s of processor time (${parts.join(', ')})\n`)
    return { seconds, cpuSeconds }
  }
}

const refundedOf = ({ statuses }: { statuses: { status: string; count: number }[] }): number =>
  statuses.find(({ status }) => status === 'refunded')?.count ?? 0

const round = (value: number): number => Math.round(value * 10) / 10

test('U2: one bulk refund settles all orders of an outage, each once, although the worker is killed', {
  timeout: 1_200_000,
}, async () => {
  const say = await watchPhases()
  let worker = await startWorker()
  const down = { status: 503, times: 1_000_000 }
  await Promise.all([sims.esimAccess.fault(down), sims.airalo.fault(down)])
  const people = await insertAccounts(harness.context, orderCount)
  await say('the worker is ready, and both providers are down')
  const orders = await pMap(
    people,
    async ({ id: accountId }, index) => {
      const order = await harness.buy({ accountId }, { pay: false })
      await sims.stripe.do('pay', { orderId: order.id, fingerprint: `card-${index}` })
      return order
    },
    { concurrency: 8 },
  )
  await say(`${orderCount} orders are paid`)
  await untilValue(
    'all orders wait for a provider',
    async () => (await sql<{ id: string }[]>`select id from orders where status = 'provisioning'`).length,
    (waiting) => waiting === orderCount,
    timeLimit,
  )
  await say('all of them wait for a provider')
  // Every tenth refund fails at Stripe, or is made and its answer is lost.
  await Promise.all(
    Array.from({ length: Math.ceil(orderCount / 10) }, (_, index) =>
      sims.stripe.fault({
        match: { method: 'POST', path: '^/v1/refunds$' },
        sequence: { id: `refund-${index}`, of: 'payment_intent=(pi_\\w+)' },
        ...(index % 2 === 0 ? { status: 500, body: { error: { type: 'api_error' } } } : { cut: 'after' as const }),
      }),
    ),
  )

  const selection = { statuses: ['provisioning'] }
  const body = { act: 'refund', selection, reason: 'both providers are down' }
  const prepared = expectStatus(await operator.post('/v1/bulk-actions', body), 201)
  expect(prepared).toMatchObject({
    state: 'prepared',
    orderCount,
    toGiveBack: [{ currency: 'EUR', minor: 500 * orderCount }],
    givenBack: [],
  })
  const path = `/v1/bulk-actions/${prepared.id}`
  const begunAt = performance.now()
  expectStatus(await operator.post(`${path}/start`), 200)

  await say('the bulk refund is started')
  let isSettled = false
  let kills = 0
  let said = 0
  let cpuSeconds = 0
  const tellSettled = async (settled: number): Promise<void> => {
    if (settled < said + settledPerLine) return
    said = settled
    cpuSeconds += (await say(`${settled} given back, the worker killed ${kills} times`)).cpuSeconds
  }
  const done = async (): Promise<number> => expectStatus(await operator.get(path), 200).outcomes.done
  const nextKill = async () => {
    const since = { at: performance.now(), cpuMs: cpuOfOurs(await cpuTime()) }
    const isDue = async () =>
      isLarge
        ? performance.now() - since.at >= killEveryMs && cpuOfOurs(await cpuTime()) - since.cpuMs >= killEveryMs
        : (await done()) >= (orderCount * (kills + 1)) / (killsByProgress + 2)
    await until('the worker is to be killed', async () => isSettled || (await isDue()), timeLimit)
  }
  const killing = (async () => {
    while (!isSettled && (isLarge || kills < killsByProgress)) {
      await nextKill()
      if (isSettled) return
      await worker.kill()
      kills += 1
      worker = await startWorker()
    }
  })()
  const report = await untilValue(
    'every order has its outcome and its money is given back',
    async () => {
      const body = expectStatus(await operator.get(path), 200)
      if (isLarge) await tellSettled(refundedOf(body))
      return body
    },
    ({ state, statuses }) =>
      state === 'done' && statuses.every(({ status }: { status: string }) => status === 'refunded'),
    timeLimit,
  )
  isSettled = true
  const seconds = round((performance.now() - begunAt) / 1000)
  cpuSeconds += (await say('the last one is settled')).cpuSeconds
  await killing
  process.stdout.write(
    `${orderCount} orders settled in ${seconds} s and ${round(cpuSeconds)} s of processor time, the worker killed ${kills} times\n`,
  )

  expect(report.outcomes).toEqual({ planned: 0, trying: 0, unknown: 0, done: orderCount, refused: 0, erased: 0 })
  expect(report.givenBack).toEqual([{ currency: 'EUR', minor: 500 * orderCount }])
  const { refunds } = await sims.stripe.state()
  const ids = new Set(
    (
      await sql<
        { payment_intent_id: string }[]
      >`select payment_intent_id from orders where id = any(${orders.map(({ id }) => String(id))}::uuid[])`
    ).map((row) => row.payment_intent_id),
  )
  expect(ids.size).toBe(orderCount)
  const refunded = refunds.map(({ payment_intent }) => String(payment_intent)).filter((id) => ids.has(id))
  expect(refunded.length).toBe(orderCount)
  expect(new Set(refunded).size).toBe(orderCount)

  const one = expectStatus(await service.get(`/v1/orders/${orders[0]?.id}`), 200)
  expect(one.status).toBe('refunded')
  const { items } = expectStatus(await operator.get(`/v1/operator/orders/${one.id}/timeline`), 200)
  expect(items.filter(({ source }: { source: string }) => source === 'operator')).toHaveLength(1)
  await Promise.all([sims.esimAccess.clearFaults(), sims.airalo.clearFaults()])
  await worker.stop()
})
