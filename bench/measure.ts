/** Statistics of samples. */

/** @param samples any order; @param share 0 to 1 */
export function percentile(samples: number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export const median = (samples: number[]): number => percentile(samples, 0.5)

export interface Round {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** Runs `count` jobs, `concurrency` at a time. A latency is the time of a whole job. */
export async function runRound(
  count: number,
  concurrency: number,
  job: (index: number) => Promise<void>,
): Promise<Round> {
  const latencies: number[] = []
  let next = 0
  const begun = performance.now()
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < count) {
        const index = next
        next += 1
        const at = performance.now()
        await job(index)
        latencies.push(performance.now() - at)
      }
    }),
  )
  const seconds = (performance.now() - begun) / 1000
  return { perSecond: count / seconds, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
}

export const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits

/** The duration of a call, milliseconds. */
export async function timed(call: () => Promise<unknown>): Promise<number> {
  const at = performance.now()
  await call()
  return performance.now() - at
}

/** Latencies beside those of the baseline, in milliseconds. */
export interface Compared {
  count: number
  p50Ms: number
  p99Ms: number
  floorP50Ms: number
  floorP99Ms: number
  p50Ratio: number
  p99Ratio: number
  /** from the 25th to the 75th percentile; missing in results of before */
  middleHalf?: [number, number]
  floorMiddleHalf?: [number, number]
}

export function beside(ours: number[], floor: number[]): Compared {
  const [p50Ms, p99Ms] = [percentile(ours, 0.5), percentile(ours, 0.99)]
  const [floorP50Ms, floorP99Ms] = [percentile(floor, 0.5), percentile(floor, 0.99)]
  const ratios = { p50Ratio: p50Ms / floorP50Ms, p99Ratio: p99Ms / floorP99Ms }
  const halves = { middleHalf: middleHalfOf(ours), floorMiddleHalf: middleHalfOf(floor) }
  return { count: ours.length, p50Ms, p99Ms, floorP50Ms, floorP99Ms, ...ratios, ...halves }
}

const middleHalfOf = (samples: number[]): [number, number] => [percentile(samples, 0.25), percentile(samples, 0.75)]
