import { median, round } from './measure.ts'
import type { OrderFigures } from './orders.ts'

export interface Results {
  measuredOn: string
  machine: string
  startSeconds: number[]
  orders: OrderFigures
}

interface Row {
  what: string
  budget: string
  measured: string
  kept: boolean
}

/** The results as Markdown. */
export function report(results: Results): string {
  const { orders } = results
  const { checkout, toDelivered } = orders
  const rows: Row[] = [
    {
      what: 'history events, POST to delivered',
      budget: '≤ 36 events, ≤ 9 actions',
      measured: `${toDelivered.events} events, ${toDelivered.actions} actions`,
      kept: toDelivered.events <= 36 && toDelivered.actions <= 9,
    },
    {
      what: `orders per second, ${orders.concurrency} at a time`,
      budget: '≥ 0.7 × the floor',
      measured: `${round(orders.throughputRatio, 2)} × (median of ${orders.rounds.length} rounds)`,
      kept: orders.throughputRatio >= 0.7,
    },
    {
      what: 'POST /v1/orders, p50',
      budget: '≤ 2.5 × a bare update-with-start',
      measured: `${round(checkout.p50Ratio, 2)} × (${round(checkout.p50Ms)} ms beside ${round(checkout.floorP50Ms)} ms)`,
      kept: checkout.p50Ratio <= 2.5,
    },
    {
      what: 'POST /v1/orders, p99',
      budget: '≤ 2.5 ×',
      measured: `${round(checkout.p99Ratio, 2)} × (${round(checkout.p99Ms)} ms beside ${round(checkout.floorP99Ms)} ms)`,
      kept: checkout.p99Ratio <= 2.5,
    },
  ]
  if (results.startSeconds.length > 0) {
    const seconds = median(results.startSeconds)
    rows.push({ what: '`npm start` to ready', budget: '≤ 5 s', measured: `${round(seconds, 2)} s`, kept: seconds <= 5 })
  }
  return [
    '# Benchmark results',
    '',
    `Written by \`npm run bench\` on ${results.measuredOn} (${results.machine}). Temporal, PostgreSQL, API, worker and the`,
    'simulated outside parties share the machine, so ratios say more than rates. The floor is a bare workflow of the same',
    'shape with empty activities (bench/floor/), in the same run, in turns with the orders.',
    '',
    '| what | budget | measured | |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ what, budget, measured, kept }) => `| ${what} | ${budget} | ${measured} | ${kept ? 'kept' : '**missed**'} |`,
    ),
    '',
    'Where a budget is missed: the stores, our three processes and the simulated parties compete for the same cores, so that',
    'an order pays for its outside parties, too, and a start for compiling TypeScript in each process. On a machine that does',
    'other work at the same time both get worse.',
    '',
    '| round | orders/s | p50 ms | p99 ms | floor/s | floor p50 ms | floor p99 ms | ratio |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...orders.rounds.map(
      ({ orders: ours, floor, ratio }, index) =>
        `| ${[index + 1, round(ours.perSecond), round(ours.p50Ms), round(ours.p99Ms), round(floor.perSecond), round(floor.p50Ms), round(floor.p99Ms), round(ratio, 2)].join(' | ')} |`,
    ),
    '',
  ].join('\n')
}
