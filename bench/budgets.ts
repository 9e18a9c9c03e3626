/** Compares the measured figures with each budget. A missed budget gets the difference and the likely cause. */
import { keysOf } from '../shared/keys-of.ts'
import { type CpuTime, cpuOfOurs } from './cpu.ts'
import { median, round } from './measure.ts'
import { growthAfterWarmUp } from './measurements/memory.ts'
import type { ProfileFigures } from './measurements/worker-profile.ts'
import type { PartName } from './parts.ts'
import { timesOf } from './profile/times.ts'
import type { Results, Section } from './results.ts'
import { stalledWithinMs } from './stalled-runs.ts'

export interface Row {
  part: PartName
  what: string
  budget: string
  measured: string
  /** of the readings; missing where there is one */
  spread?: string | undefined
  /** missing: there is no bound */
  kept?: boolean
  /** the figures that explain a missed budget */
  why: string
}

/** A profile has no budget: it explains another one. */
type Sections = {
  [Name in Exclude<PartName, 'profile'>]: (section: Section<Name>, all: Results) => Omit<Row, 'part'>[]
}

const sections: Sections = {
  orders({ figures, cores, coresOfOthers }, { profile }) {
    const { toDelivered, wholeLife, checkout, cpu, throughputRatio, sampleRatio, sampleToEnd, concurrency, rounds } =
      figures
    const cost = (what: string, measured: { events: number; actions: number }, events: number, actions: number) => ({
      what,
      budget: `≤ ${events} events, ≤ ${actions} actions`,
      measured: `${measured.events} events, ${measured.actions} actions`,
      kept: measured.events <= events && measured.actions <= actions,
      why: `${Math.max(0, measured.events - events)} events and ${Math.max(0, measured.actions - actions)} actions too many ([why](../docs/decisions/0890-nine-actions-of-an-order.md))`,
    })
    const workers = { ours: cpu.order.worker ?? Number.NaN, floor: cpu.floor['floor worker'] ?? Number.NaN }
    const busy = (cpuOfOurs(cpu.order) * median(rounds.map(({ orders }) => orders.perSecond))) / 1000
    return [
      cost('history of an order, POST to delivered', toDelivered, 24, 8),
      cost('its whole life: installed, used, low on data, used up, expired', wholeLife.eventful, 44, 13),
      cost('its whole life, never touched', wholeLife.untouched, 44, 13),
      {
        what: `orders per second, ${concurrency} at a time`,
        budget: '≥ 0.8 × the floor',
        measured: `${round(throughputRatio, 2)} × (median of ${rounds.length} rounds, ${cores} cores)`,
        spread: spreadOf(rounds.map(({ ratio }) => ratio)),
        kept: throughputRatio >= 0.8,
        why: `an order takes ${round(cpuOfOurs(cpu.order), 0)} ms of processor time, a run of the floor ${round(cpuOfOurs(cpu.floor), 0)} ms (${more(cpu.order, cpu.floor)}), and ${round(busy)} of ${cores} cores were busy with orders${beside(coresOfOthers)}`,
      },
      {
        what: "the same beside Temporal's own order sample with empty activities",
        budget: '≥ 2 × the sample',
        measured: `${round(sampleRatio, 2)} × (${toDelivered.events} events beside ${sampleToEnd.events}, ${toDelivered.actions} actions beside ${sampleToEnd.actions})`,
        spread: spreadOf(rounds.map((each) => each.sampleRatio)),
        kept: sampleRatio >= 2,
        why: `an order takes ${round(cpuOfOurs(cpu.order), 0)} ms of processor time, one of the sample ${round(cpuOfOurs(cpu.sample), 0)} ms (${more(cpu.order, cpu.sample)})${beside(coresOfOthers)}`,
      },
      {
        what: "the worker's processor time of an order",
        budget: "≤ 1.4 × the floor's worker",
        measured: `${round(workers.ours / workers.floor, 2)} × (${round(workers.ours, 0)} ms beside ${round(workers.floor, 0)} ms)`,
        spread: spreadOf(rounds.flatMap(({ workerRatio }) => workerRatio ?? [])),
        kept: workers.ours <= 1.4 * workers.floor,
        why: `${round(workers.ours - 1.4 * workers.floor, 0)} ms over${profile ? `; by the profile an order takes beside a run of the floor, in milliseconds: ${moreOf(profile.figures)}` : ''}`,
      },
      ...compared('POST /v1/orders', checkout, 'a bare update-with-start', 2.5, coresOfOthers),
      {
        what: 'a run of the benchmark that stands still',
        budget: 'named within a minute, with the reason',
        measured: `${stalledWithinMs / 1000} s at most ([test](../test/stack/benchmark.long.test.ts))`,
        kept: stalledWithinMs <= 60_000,
        why: `${(stalledWithinMs - 60_000) / 1000} s over`,
      },
    ]
  },

  workers({ figures: { measured, ordersPerRound, concurrency }, cores }) {
    const [one] = measured
    if (!one) return []
    const counts = measured.map(({ workers }) => workers)
    const each = (value: (of: (typeof measured)[number]) => number, digits: number) =>
      measured.map((of) => round(value(of), digits)).join(', ')
    return [
      {
        what: `orders per second with ${counts.join(', ')} worker processes, Temporal over PostgreSQL, ${concurrency} at a time`,
        budget: 'measured',
        measured: `${each(({ orders }) => orders.perSecond, 1)}: ${each(({ orders }) => orders.perSecond / one.orders.perSecond, 2)} × one process (${ordersPerRound} orders each, ${cores} cores for all)`,
        spread: measured.map(({ rounds }) => (rounds ? spreadOf(rounds, 1) : '')).join('; '),
        why: '',
      },
    ]
  },

  open({ figures: { posts, none, many, lookUps }, coresOfOthers }) {
    const ratio = many.p95Ms / none.p95Ms
    return [
      {
        what: `POST /v1/orders with ${many.open.toLocaleString('en')} open orders, p95`,
        budget: '≤ 2 × with none',
        measured: `${round(ratio, 2)} × (${round(many.p95Ms)} ms beside ${round(none.p95Ms)} ms)`,
        spread: `of ${posts}, p50 ${round(many.p50Ms)} ms beside ${round(none.p50Ms)} ms`,
        kept: ratio <= 2,
        why: `${round(many.p95Ms - 2 * none.p95Ms)} ms over, beside ${lookUps} look-ups during ${posts} requests, which take ${more(many.cpu, none.cpu)} ms of processor time for each request${beside(coresOfOthers)}`,
      },
    ]
  },

  deletion({ figures: { among }, coresOfOthers }) {
    const [few, many] = [among[0], among.at(-1)]
    if (!few || !many) return []
    const grown = many.p50Ratio / few.p50Ratio
    const accounts = many.otherAccounts.toLocaleString('en')
    const largest = atTenMillion(few.otherAccounts, few.p50Ratio, many.otherAccounts, many.p50Ratio)
    return [
      ...compared(
        `DELETE account to committed receipt, among ${accounts}`,
        many,
        'a bare update-with-start',
        1.5,
        coresOfOthers,
      ),
      {
        what: `the same among ${few.otherAccounts.toLocaleString('en')} and among ${accounts} other accounts`,
        budget: 'independent: within 25 %',
        measured: `${round(few.p50Ms)} ms and ${round(many.p50Ms)} ms (${round(many.p50Ms / few.p50Ms, 2)} ×); beside the bare update of the same minutes ${round(grown, 2)} ×`,
        kept: grown <= 1.25,
        why: `among ${accounts} a DELETE took ${round(many.p50Ms - few.p50Ms)} ms more and the bare update ${round(many.floorP50Ms - few.floorP50Ms)} ms more${beside(coresOfOthers)}`,
      },
      {
        what: 'the same among 10,000,000, p50 by the slope of these ratios',
        budget: '≤ 1.5 × a bare update-with-start',
        measured: `${round(largest, 2)} ×`,
        kept: largest <= 1.5,
        why: `${round(few.p50Ratio, 2)} × among ${few.otherAccounts.toLocaleString('en')}, ${round(many.p50Ratio, 2)} × among ${accounts}`,
      },
    ]
  },

  notice({ figures: { pool, calm, killed }, coresOfOthers }) {
    const people = ({ recipients }: { recipients: number }) => recipients.toLocaleString('en')
    return [
      {
        what: `policy notice to ${people(calm)}: mails per second`,
        budget: "≥ 0.8 × nodemailer's pool alone",
        measured: `${round(calm.ratio, 2)} × (${round(calm.mailsPerSecond, 0)}/s beside ${round(pool.mailsPerSecond, 0)}/s)`,
        kept: calm.ratio >= 0.8,
        why: `a mail of the notice takes ${round(cpuOfOurs(calm.cpu), 2)} ms of processor time, one of the pool alone ${round(cpuOfOurs(pool.cpu), 2)} ms (${more(calm.cpu, pool.cpu, 2)})${beside(coresOfOthers)}`,
      },
      {
        what: 'its Temporal actions per 10,000 recipients',
        budget: '≤ 25',
        measured: String(round(calm.actionsPer10000)),
        kept: calm.actionsPer10000 <= 25,
        why: `${round(calm.actionsPer10000 - 25)} too many`,
      },
      {
        what: `${people(killed)} recipients, the worker killed ${killed.kills} times`,
        budget: 'everybody is reached; duplicates only of mails that were being sent',
        measured: `${killed.unreached} unreached, ${killed.duplicates} twice, ${killed.inDoubt} in doubt`,
        kept: killed.unreached === 0 && killed.duplicates <= killed.inDoubt,
        why: 'deliveries were lost, or repeated without having been in doubt',
      },
    ]
  },

  sweep({ figures: { among }, coresOfOthers }) {
    const [few, many] = [among[0], among.at(-1)]
    if (!few || !many) return []
    const { accounts, found, milliseconds, plan } = many
    const ofAccounts = plan.filter((node) => /\baccounts/.test(node))
    const oneRange = ofAccounts.length === 1 && /^Index .*range/.test(ofAccounts[0] ?? '')
    const largest = atTenMillion(few.accounts, few.milliseconds, accounts, milliseconds)
    return [
      {
        what: `inactivity sweep of ${accounts.toLocaleString('en')} accounts, ${found.toLocaleString('en')} of them due`,
        budget: 'one index range, < 50 ms',
        measured: `${ofAccounts.join('; ')}; ${round(milliseconds)} ms`,
        spread: spreadOf(many.times ?? [], 1, ' ms'),
        kept: oneRange && milliseconds < 50,
        why: `${round(milliseconds - 50)} ms over; the plan: ${plan.join(', ')}${beside(coresOfOthers)}`,
      },
      {
        what: `the same among 10,000,000, by the slope from ${few.accounts.toLocaleString('en')} to ${accounts.toLocaleString('en')}`,
        budget: '< 50 ms',
        measured: `${round(largest)} ms`,
        kept: largest < 50,
        why: `${round(few.milliseconds)} ms among ${few.accounts.toLocaleString('en')}, ${round(milliseconds)} ms among ${accounts.toLocaleString('en')}`,
      },
    ]
  },

  memory({ figures: { samples } }) {
    const growth = growthAfterWarmUp(samples)
    const last = samples.at(-1)
    const row = {
      what: `worker memory over ${last?.orders.toLocaleString('en')} orders`,
      budget: 'flat: within 10 %, ≤ 450 MB',
    }
    if (!growth || !last) {
      const why = `the SDK's cache of runs never filled up (${last?.cachedRuns} runs), and memory grew with each run`
      return [{ ...row, measured: 'still warming up at the end', kept: false, why }]
    }
    const { mb, fromMb, fromOrders } = growth
    const heapFrom = samples.find(({ orders }) => orders === fromOrders)?.heapMb ?? Number.NaN
    return [
      {
        ...row,
        measured: `${round(fromMb, 0)} MB from ${fromOrders.toLocaleString('en')} orders on, ${signed(mb, 0)} MB by the end`,
        spread: spreadOf(
          samples.filter(({ orders }) => orders >= fromOrders).map(({ residentMb }) => residentMb),
          0,
          ' MB',
        ),
        kept: mb <= 0.1 * fromMb && Math.max(fromMb, fromMb + mb) <= 450,
        why: `of ${signed(mb, 0)} MB after the warm-up, ${signed(last.heapMb - heapFrom, 0)} MB are in the heap of the main thread, where activities run; the rest is in the workflows' thread and outside of heaps`,
      },
    ]
  },

  start({ figures: { starts, cpu }, coresOfOthers, cores }) {
    const seconds = median(starts.map((start) => start.seconds))
    const stackSeconds = median(starts.map((start) => start.stackSeconds))
    return [
      {
        what: '`npm start` to ready, with the data of an earlier start',
        budget: '≤ 2.5 s',
        measured: `${round(seconds, 2)} s (median of ${starts.length})`,
        spread: spreadOf(
          starts.map((start) => start.seconds),
          2,
          ' s',
        ),
        kept: seconds <= 2.5,
        why: `${round(seconds - 2.5, 2)} s over; ${round(seconds - stackSeconds, 2)} s of them npm’s; a start takes ${round(cpuOfOurs(cpu) / 1000)} s of processor time (${shares(cpu)}) on ${cores} cores${beside(coresOfOthers)}`,
      },
    ]
  },
}

export const partsWithRows = keysOf(sections)

/** @returns the rows of the parts that were measured */
export function compareWithBudgets(results: Results): Row[] {
  const rowsOf = <Name extends keyof Sections>(part: Name, section: Section<Name>): Row[] =>
    sections[part](section, results).map((row) => ({ part, ...row }))
  return [
    ...(results.orders ? rowsOf('orders', results.orders) : []),
    ...(results.workers ? rowsOf('workers', results.workers) : []),
    ...(results.open ? rowsOf('open', results.open) : []),
    ...(results.deletion ? rowsOf('deletion', results.deletion) : []),
    ...(results.notice ? rowsOf('notice', results.notice) : []),
    ...(results.sweep ? rowsOf('sweep', results.sweep) : []),
    ...(results.memory ? rowsOf('memory', results.memory) : []),
    ...(results.start ? rowsOf('start', results.start) : []),
  ]
}

/** The least and the most; undefined without readings. */
const spreadOf = (readings: readonly number[], digits = 2, unit = ''): string | undefined =>
  readings.length === 0
    ? undefined
    : `${round(Math.min(...readings), digits)} to ${round(Math.max(...readings), digits)}${unit}`

interface Latencies {
  p50Ms: number
  p99Ms: number
  floorP50Ms: number
  floorP99Ms: number
  count: number
  middleHalf?: [number, number]
  floorMiddleHalf?: [number, number]
}

function compared(
  what: string,
  latencies: Latencies,
  floor: string,
  limit: number,
  coresOfOthers?: number,
): Omit<Row, 'part'>[] {
  const { p50Ms, p99Ms, floorP50Ms, floorP99Ms, count, middleHalf, floorMiddleHalf } = latencies
  const half =
    middleHalf &&
    floorMiddleHalf &&
    `half of ${count}: ${spreadOf(middleHalf, 1, ' ms')} beside ${spreadOf(floorMiddleHalf, 1, ' ms')}`
  const row = (percentile: string, ours: number, theirs: number) => ({
    what: `${what}, ${percentile}`,
    budget: `≤ ${limit} × ${floor}`,
    measured: `${round(ours / theirs, 2)} × (${round(ours)} ms beside ${round(theirs)} ms)`,
    spread: half,
    kept: ours / theirs <= limit,
    why: `${round(ours - limit * theirs)} ms over, of ${count} one at a time${beside(coresOfOthers)}`,
  })
  return [row('p50', p50Ms, floorP50Ms), row('p99', p99Ms, floorP99Ms)]
}

/**
 * Continues measurements at two sizes: an index grows with the logarithm of its rows. Never less than the larger one.
 */
function atTenMillion(fewAt: number, few: number, manyAt: number, many: number): number {
  const perDecade = (many - few) / Math.log10(manyAt / fewAt)
  return many + Math.max(0, perDecade) * Math.log10(10_000_000 / manyAt)
}

/** Counts the baseline's worker as the worker. */
const asWorker = ({ 'floor worker': worker = 0, ...others }: CpuTime): CpuTime => ({
  ...others,
  worker: (others.worker ?? 0) + worker,
})

function more(ours: CpuTime, floor: CpuTime, digits = 0): string {
  const [mine, theirs] = [asWorker(ours), asWorker(floor)]
  return Object.entries(mine)
    .filter(([name]) => name !== 'others')
    .map(([name, ms]) => ({ name, ms: ms - (theirs[name] ?? 0) }))
    .filter(({ ms }) => Math.abs(round(ms, digits)) > 0)
    .sort((a, b) => b.ms - a.ms)
    .map(({ name, ms }) => `${name} ${signed(ms, digits)}`)
    .join(', ')
}

/** The purposes that take more of an order's worker than of the floor's, the largest first. */
function moreOf({ order, floor, cpu }: ProfileFigures): string {
  const [ours, theirs] = [timesOf(order, cpu.order.worker), timesOf(floor, cpu.floor['floor worker'])]
  return Object.entries(ours)
    .map(([name, ms]) => ({ name, ms: ms - (theirs[name] ?? 0) }))
    .filter(({ ms }) => ms >= 1)
    .sort((a, b) => b.ms - a.ms)
    .map(({ name, ms }) => `${name} ${signed(ms, 0)}`)
    .join(', ')
}

const shares = (cpu: CpuTime): string =>
  Object.entries(cpu)
    .filter(([name, ms]) => name !== 'others' && ms >= 50)
    .sort(([, a], [, b]) => b - a)
    .map(([name, ms]) => `${name} ${round(ms / 1000)}`)
    .join(', ')

const signed = (value: number, digits: number): string => `${value < 0 ? '−' : '+'}${Math.abs(round(value, digits))}`

const beside = (coresOfOthers = 0): string =>
  coresOfOthers < 0.2 ? '' : `; other programs took ${round(coresOfOthers)} cores meanwhile`
