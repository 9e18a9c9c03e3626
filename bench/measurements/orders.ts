/** Orders per second and the latency of checkout, in turns with the baseline, and the cost of an order. */
import { randomUUID } from 'node:crypto'
import type { Stack } from '../../dev/stack.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { untilCatalogued } from '../catalogued.ts'
import { addUp, type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
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
  rounds: { orders: Round; floor: Round; ratio: number }[]
  throughputRatio: number
  /** processor time of one order and one baseline run, milliseconds */
  cpu: { order: CpuTime; floor: CpuTime }
  toDelivered: Cost
  floorToDelivered: Cost
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
    await shop.prepare((rounds + 1) * ordersPerRound + checkouts)
    let sample = ''
    const orders = async () => {
      sample = await shop.deliver()
    }
    const bare = () => floor.deliver(`floor-${randomUUID()}`)
    const cpu: OrderFigures['cpu'] = { order: {}, floor: {} }
    const measure = async (kind: 'order' | 'floor'): Promise<Round> => {
      const before = await cpuTime()
      const figures = await runRound(ordersPerRound, concurrency, kind === 'order' ? orders : bare)
      cpu[kind] = addUp(cpu[kind], cpuPerJob(before, await cpuTime(), rounds * ordersPerRound))
      return figures
    }
    await runRound(ordersPerRound, concurrency, orders)
    await runRound(ordersPerRound, concurrency, bare)

    const measured: OrderFigures['rounds'] = []
    for (let index = 1; index <= rounds; index += 1) {
      // The server slows down as its history grows: the two take turns in going first.
      const floorFirst = index % 2 === 1 ? await measure('floor') : undefined
      const ours = await measure('order')
      const bareOnes = floorFirst ?? (await measure('floor'))
      const ratio = ours.perSecond / bareOnes.perSecond
      measured.push({ orders: ours, floor: bareOnes, ratio })
      say(
        `round ${index}: ${round(ours.perSecond)} orders/s (p50 ${round(ours.p50Ms)} ms), floor ${round(bareOnes.perSecond)}/s, ratio ${round(ratio, 2)}`,
      )
    }

    say('checkout latency, one at a time')
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let index = 0; index < checkouts; index += 1) {
      theirs.push(await timed(() => floor.open(`floor-${randomUUID()}`)))
      ours.push(await timed(() => shop.order()))
    }
    const toDelivered = await costUntilWatch(stack, orderWorkflowId(sample))
    const lastFloor = `floor-${randomUUID()}`
    await floor.deliver(lastFloor)
    const floorToDelivered = await costUntilWatch(stack, lastFloor)
    say('whole lives, time skipped')
    const eventful = await costOfLife(stack, shop, { eventful: true })
    const untouched = await costOfLife(stack, shop, { eventful: false })
    return {
      concurrency,
      ordersPerRound,
      rounds: measured,
      throughputRatio: median(measured.map(({ ratio }) => ratio)),
      cpu,
      toDelivered,
      floorToDelivered,
      wholeLife: { untouched, eventful },
      checkout: beside(ours, theirs),
    }
  } finally {
    shop.close()
    await floor.stop()
  }
}

/** The cost of a delivered order up to its watch: after the notices its run only waits. */
async function costUntilWatch(stack: Stack, workflowId: string): Promise<Cost> {
  const handle = stack.temporal.workflow.getHandle(workflowId)
  for (let last = -1; ; ) {
    const cost = historyCost(await handle.fetchHistory())
    if (cost.events === last) return cost
    last = cost.events
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
