/**
 * Orders per second of one, two and four worker processes, on Temporal that keeps its runs in PostgreSQL, in four
 * shards: a server with one file has one writer, whoever works.
 */
import { buildTemporalPrograms, startTemporalOnPostgres } from '../../dev/temporal/temporal-on-postgres.ts'
import { untilCatalogued } from '../catalogued.ts'
import { type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { type Round, round, runRound } from '../measure.ts'
import { onStack, type Say } from '../on-stack.ts'
import { openShop } from '../shop.ts'

interface OfWorkers {
  workers: number
  /** of the median round */
  orders: Round
  /** orders per second of each round */
  rounds?: number[]
  /** processor time of one order, milliseconds */
  cpu: CpuTime
}

export interface WorkersFigures {
  ordersPerRound: number
  concurrency: number
  measured: OfWorkers[]
}

export async function benchWorkers(options: {
  counts: readonly number[]
  rounds: number
  ordersPerRound: number
  concurrency: number
  say: Say
}): Promise<WorkersFigures> {
  const { counts, rounds, ordersPerRound, concurrency, say } = options
  const measured: OfWorkers[] = []
  await buildTemporalPrograms(say)
  for (const workers of counts) {
    // Each with a server of its own, whose history does not grow from one to the next.
    const server = await startTemporalOnPostgres()
    const before = { ...process.env }
    // The driver has a client as well.
    Object.assign(process.env, server.settings)
    try {
      measured.push(await onStack(say, (stack) => measure(stack, workers), { workers, environment: server.settings }))
    } finally {
      for (const name of Object.keys(server.settings)) {
        if (before[name] === undefined) delete process.env[name]
        else process.env[name] = before[name]
      }
      await server.stop()
    }
  }
  return { ordersPerRound, concurrency, measured }

  async function measure(stack: Parameters<typeof openShop>[0], workers: number): Promise<OfWorkers> {
    await untilCatalogued(stack)
    const shop = await openShop(stack)
    const deliver = async (): Promise<void> => void (await shop.deliver())
    try {
      await shop.prepare((rounds + 1) * ordersPerRound)
      await runRound(ordersPerRound, concurrency, deliver)
      const before = await cpuTime()
      const measured: Round[] = []
      while (measured.length < rounds) measured.push(await runRound(ordersPerRound, concurrency, deliver))
      const cpu = cpuPerJob(before, await cpuTime(), rounds * ordersPerRound)
      const orders = measured.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(rounds / 2)]
      if (!orders) throw new Error('no round was measured')
      say(`${workers} worker processes: ${round(orders.perSecond)} orders/s (p50 ${round(orders.p50Ms)} ms)`)
      return { workers, orders, rounds: measured.map(({ perSecond }) => perSecond), cpu }
    } finally {
      shop.close()
    }
  }
}
