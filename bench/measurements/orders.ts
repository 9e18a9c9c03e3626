/**
 * Orders per second and the latency of checkout, in turns with the baseline and with Temporal's own order sample, and
 * the cost of an order.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../../dev/stack.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { untilCatalogued } from '../catalogued.ts'
import { addUp, type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { chargeOf, shipmentOf } from '../floor/floor.contract.ts'
import { startFloor } from '../floor/start.ts'
import { historyCost } from '../history-cost.ts'
import { beside, type Compared, median, type Round, round, runRound, timed } from '../measure.ts'
import type { Say } from '../on-stack.ts'
import { openShop } from '../shop.ts'
import { costOfLife, type LifeCost } from './order-life.ts'

interface Cost {
  events: number
  actions: number
}

export interface OrderFigures {
  concurrency: number
  ordersPerRound: number
  /** `sample`: Temporal's own order sample, from its start to its end */
  rounds: {
    orders: Round
    floor: Round
    sample: Round
    ratio: number
    sampleRatio: number
    /** the processor time of an order's worker beside the floor's; missing in results of before */
    workerRatio?: number
  }[]
  throughputRatio: number
  sampleRatio: number
  /** processor time of one order, one baseline run, and one order of the sample, milliseconds */
  cpu: { order: CpuTime; floor: CpuTime; sample: CpuTime }
  toDelivered: Cost
  floorToDelivered: Cost
  sampleToEnd: Cost
  wholeLife: { untouched: LifeCost; eventful: LifeCost }
  checkout: Compared
}

export async function benchOrders(
  stack: Stack,
  options: { rounds: number; ordersPerRound: number; concurrency: number; checkouts: number; say: Say },
): Promise<OrderFigures> {
  const { rounds, ordersPerRound, concurrency, checkouts, say } = options
  await untilCatalogued(stack)
  const shop = await openShop(stack)
  const floor = await startFloor(stack)
  try {
    say('warming up')
    await shop.prepare((rounds + 1) * ordersPerRound + checkouts + 1)
    const orders = async () => void (await shop.deliver())
    const bare = () => floor.deliver(`floor-${randomUUID()}`)
    const theirs = () => floor.deliverSample(`sample-${randomUUID()}`)
    const jobs = { order: orders, floor: bare, sample: theirs }
    const cpu: OrderFigures['cpu'] = { order: {}, floor: {}, sample: {} }
    const measure = async (kind: keyof typeof jobs): Promise<Round & { cpu: CpuTime }> => {
      const before = await cpuTime()
      const figures = await runRound(ordersPerRound, concurrency, jobs[kind])
      const after = await cpuTime()
      cpu[kind] = addUp(cpu[kind], cpuPerJob(before, after, rounds * ordersPerRound))
      return { ...figures, cpu: cpuPerJob(before, after, ordersPerRound) }
    }
    await runRound(ordersPerRound, concurrency, orders)
    await runRound(ordersPerRound, concurrency, bare)
    await runRound(concurrency, concurrency, theirs)

    const measured: OrderFigures['rounds'] = []
    for (let index = 1; index <= rounds; index += 1) {
      // The server slows down as its history grows: the two take turns in going first.
      const floorFirst = index % 2 === 1 ? await measure('floor') : undefined
      const { cpu: ofOrder, ...ours } = await measure('order')
      const { cpu: ofFloor, ...bareOnes } = floorFirst ?? (await measure('floor'))
      const { cpu: _ofSample, ...sample } = await measure('sample')
      const workerRatio = (ofOrder.worker ?? Number.NaN) / (ofFloor['floor worker'] ?? Number.NaN)
      const [ratio, sampleRatio] = [ours.perSecond / bareOnes.perSecond, ours.perSecond / sample.perSecond]
      measured.push({ orders: ours, floor: bareOnes, sample, ratio, sampleRatio, workerRatio })
      say(
        `round ${index}: ${round(ours.perSecond)} orders/s (p50 ${round(ours.p50Ms)} ms), floor ${round(bareOnes.perSecond)}/s, ratio ${round(ratio, 2)}; Temporal's sample ${round(sample.perSecond)}/s, ratio ${round(sampleRatio, 2)}`,
      )
    }

    say('checkout latency, one at a time')
    const [ours, bareOnes]: [number[], number[]] = [[], []]
    for (let index = 0; index < checkouts; index += 1) {
      bareOnes.push(await timed(() => floor.open(`floor-${randomUUID()}`)))
      ours.push(await timed(() => shop.order()))
    }
    // Alone: on a full machine a workflow task may outlast its timeout, which costs three events.
    const toDelivered = await costUntilWatch(stack, orderWorkflowId(await shop.deliver()))
    const lastFloor = `floor-${randomUUID()}`
    await floor.deliver(lastFloor)
    const floorToDelivered = await costUntilWatch(stack, lastFloor)
    const lastSample = `sample-${randomUUID()}`
    await floor.deliverSample(lastSample)
    const runs = [lastSample, chargeOf(lastSample), shipmentOf(lastSample)]
    const sampleToEnd = addCosts(await Promise.all(runs.map((workflowId) => costUntilWatch(stack, workflowId))))
    say('whole lives, time skipped')
    const eventful = await costOfLife(stack, shop, { eventful: true })
    const untouched = await costOfLife(stack, shop, { eventful: false })
    return {
      concurrency,
      ordersPerRound,
      rounds: measured,
      throughputRatio: median(measured.map(({ ratio }) => ratio)),
      sampleRatio: median(measured.map(({ sampleRatio }) => sampleRatio)),
      cpu,
      toDelivered,
      floorToDelivered,
      sampleToEnd,
      wholeLife: { untouched, eventful },
      checkout: beside(ours, bareOnes),
    }
  } finally {
    shop.close()
    await floor.stop()
  }
}

const addCosts = (costs: Cost[]): Cost =>
  costs.reduce((sum, { events, actions }) => ({ events: sum.events + events, actions: sum.actions + actions }))

/** The cost of a run up to its end, or to a delivered order's watch: after the notices its run only waits. */
async function costUntilWatch(stack: Stack, workflowId: string): Promise<Cost> {
  const handle = stack.temporal.workflow.getHandle(workflowId)
  for (let last = -1; ; ) {
    const cost = historyCost(await handle.fetchHistory())
    if (cost.events === last) return cost
    last = cost.events
    await pause(500)
  }
}
