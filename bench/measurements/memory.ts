/** Whether the worker's memory grows with the number of orders. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Stack } from '../../dev/stack.ts'
import { untilCatalogued } from '../catalogued.ts'
import { median, round, runRound } from '../measure.ts'
import type { Say } from '../on-stack.ts'
import { openShop } from '../shop.ts'

interface MemorySample {
  /** delivered so far */
  orders: number
  /** resident memory of the process */
  residentMb: number
  /** heap of the main thread, where activities run */
  heapMb: number
  /** runs in the SDK's cache, which evicts the oldest ones when it is full */
  cachedRuns: number
}

export interface MemoryFigures {
  samples: MemorySample[]
  ordersPerSecond: number
}

const concurrency = 50
const readings = 5

export async function benchMemory(
  stack: Stack,
  { orders, every, say }: { orders: number; every: number; say: Say },
): Promise<MemoryFigures> {
  await untilCatalogued(stack)
  const shop = await openShop(stack)
  const samples: MemorySample[] = []
  const perSecond: number[] = []
  try {
    for (let done = 0; done < orders; done += every) {
      await shop.prepare(every)
      const done50 = await runRound(every, concurrency, async () => void (await shop.deliver()))
      perSecond.push(done50.perSecond)
      const sample = { orders: done + every, ...(await sampleOf(stack)) }
      samples.push(sample)
      say(
        `${sample.orders} orders: ${round(sample.residentMb, 0)} MB resident, heap ${round(sample.heapMb, 0)} MB, ${sample.cachedRuns} runs kept, ${round(done50.perSecond)}/s`,
      )
    }
    return { samples, ordersPerSecond: median(perSecond) }
  } finally {
    shop.close()
  }
}

/** The medians of several readings, since garbage collection changes the memory all the time. */
async function sampleOf({ urls }: Stack): Promise<Omit<MemorySample, 'orders'>> {
  const seen: Omit<MemorySample, 'orders'>[] = []
  for (let reading = 0; reading < readings; reading += 1) {
    await pause(500)
    const text = await (await fetch(`${urls.workerMetrics[0]}/metrics`)).text()
    const read = (name: string): number => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1])
    seen.push({
      residentMb: read('process_resident_memory_bytes') / 2 ** 20,
      heapMb: read('nodejs_heap_size_used_bytes') / 2 ** 20,
      cachedRuns: read('temporal_sticky_cache_size'),
    })
  }
  return {
    residentMb: median(seen.map(({ residentMb }) => residentMb)),
    heapMb: median(seen.map(({ heapMb }) => heapMb)),
    cachedRuns: median(seen.map(({ cachedRuns }) => cachedRuns)),
  }
}

/**
 * The growth of the memory after the SDK's cache of runs was full.
 * @returns growth in MB along a fitted line, and the line's beginning; undefined when the cache never was full
 */
export function growthAfterWarmUp(
  samples: MemorySample[],
): { mb: number; fromMb: number; fromOrders: number } | undefined {
  const most = Math.max(...samples.map(({ cachedRuns }) => cachedRuns))
  const steady = samples.slice(samples.findIndex(({ cachedRuns }) => cachedRuns >= 0.98 * most))
  const [first, last] = [steady[0], steady.at(-1)]
  if (!first || !last || steady.length < 3) return undefined
  const meanX = mean(steady.map(({ orders }) => orders))
  const meanY = mean(steady.map(({ residentMb }) => residentMb))
  const slope =
    steady.reduce((sum, { orders, residentMb }) => sum + (orders - meanX) * (residentMb - meanY), 0) /
    steady.reduce((sum, { orders }) => sum + (orders - meanX) ** 2, 0)
  const at = (orders: number): number => meanY + slope * (orders - meanX)
  return { mb: at(last.orders) - at(first.orders), fromMb: at(first.orders), fromOrders: first.orders }
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
