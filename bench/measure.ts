/** Figures from samples. */

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

/** Runs `count` jobs, `concurrency` at a time. Latencies are of the whole job. */
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
