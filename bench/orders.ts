/** Orders per second and the latency of checkout, beside the floor, in one run and in turns. */
import { randomUUID } from 'node:crypto'
import type { Stack } from '../dev/stack.ts'
import { orderWorkflowId } from '../workflows/order.contract.ts'
import { startFloor } from './floor/start.ts'
import { historyCost } from './history-cost.ts'
import { median, percentile, type Round, round, runRound } from './measure.ts'
import { openShop } from './shop.ts'

export interface OrderFigures {
  concurrency: number
  ordersPerRound: number
  rounds: { orders: Round; floor: Round; ratio: number }[]
  throughputRatio: number
  toDelivered: { events: number; actions: number }
  floorToDelivered: { events: number; actions: number }
  checkout: { p50Ms: number; p99Ms: number; floorP50Ms: number; floorP99Ms: number; p50Ratio: number; p99Ratio: number }
}

export async function benchOrders(
  stack: Stack,
  options: { rounds: number; ordersPerRound: number; concurrency: number; checkouts: number; say(line: string): void },
): Promise<OrderFigures> {
  const { rounds, ordersPerRound, concurrency, checkouts, say } = options
  const shop = await openShop(stack)
  const floor = await startFloor(stack)
  try {
    say('warming up')
    await shop.prepare((rounds + 1) * ordersPerRound + 2 * checkouts)
    let sample = ''
    const orders = async () => {
      sample = await shop.deliver()
    }
    const bare = () => floor.deliver(`floor-${randomUUID()}`)
    await runRound(ordersPerRound / 2, concurrency, orders)
    await runRound(ordersPerRound / 2, concurrency, bare)

    const measured: OrderFigures['rounds'] = []
    for (let index = 1; index <= rounds; index += 1) {
      const floorRound = await runRound(ordersPerRound, concurrency, bare)
      const orderRound = await runRound(ordersPerRound, concurrency, orders)
      const ratio = orderRound.perSecond / floorRound.perSecond
      measured.push({ orders: orderRound, floor: floorRound, ratio })
      say(
        `round ${index}: ${round(orderRound.perSecond)} orders/s (p50 ${round(orderRound.p50Ms)} ms), floor ${round(floorRound.perSecond)}/s, ratio ${round(ratio, 2)}`,
      )
    }

    say('checkout latency, one at a time')
    const [ours, theirs]: [number[], number[]] = [[], []]
    for (let index = 0; index < checkouts; index += 1) {
      theirs.push(await timed(() => floor.open(`floor-${randomUUID()}`)))
      ours.push(await timed(() => shop.order()))
    }
    const cost = await costUntilWatch(stack, orderWorkflowId(sample))
    const lastFloor = `floor-${randomUUID()}`
    await floor.deliver(lastFloor)
    const floorCost = await costUntilWatch(stack, lastFloor)
    return {
      concurrency,
      ordersPerRound,
      rounds: measured,
      throughputRatio: median(measured.map(({ ratio }) => ratio)),
      toDelivered: cost,
      floorToDelivered: floorCost,
      checkout: {
        p50Ms: percentile(ours, 0.5),
        p99Ms: percentile(ours, 0.99),
        floorP50Ms: percentile(theirs, 0.5),
        floorP99Ms: percentile(theirs, 0.99),
        p50Ratio: percentile(ours, 0.5) / percentile(theirs, 0.5),
        p99Ratio: percentile(ours, 0.99) / percentile(theirs, 0.99),
      },
    }
  } finally {
    shop.close()
    await floor.stop()
  }
}

async function timed(call: () => Promise<unknown>): Promise<number> {
  const at = performance.now()
  await call()
  return performance.now() - at
}

/** Once the watch is scheduled and the notices are out, a delivered order's run stands still. */
async function costUntilWatch(stack: Stack, workflowId: string) {
  const handle = stack.temporal.workflow.getHandle(workflowId)
  for (let last = -1; ; ) {
    const cost = historyCost(await handle.fetchHistory())
    if (cost.events === last) return cost
    last = cost.events
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}
