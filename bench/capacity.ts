/** The tables of docs/capacity.md: what was measured, and what follows from it for numbers of accounts. */
import { readFile, writeFile } from 'node:fs/promises'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import proto from '@temporalio/proto'
import { keysOf } from '../shared/keys-of.ts'
import { type CpuTime, cpuOfOurs } from './cpu.ts'
import { round } from './measure.ts'
import { table } from './report.ts'
import type { Results, Section } from './results.ts'

const capacityFile = new URL('../docs/capacity.md', import.meta.url)
const keptFolder = new URL('../test/replay/histories/', import.meta.url)

/** Assumptions that cannot be measured before there are customers: docs/capacity.md has the reasons. */
const assumed = {
  ordersPerAccountAndYear: 2,
  /** a tenth of the day in one hour, on a day with three times the orders of the mean */
  peak: 0.1 * 24 * 3,
  dollarsPerMillionActions: 50,
  mailsPerSecond: 100,
  deletionsPerAccountAndYear: 0.1,
  /** an order's run is open for a month, and its history is kept for seven days more */
  daysOfHistory: 30 + 7,
}

/** The programs of production. */
const programs = ['worker', 'Temporal', 'API', 'PostgreSQL'] as const

const number = (value: number, digits = 0): string => value.toLocaleString('en', { maximumFractionDigits: digits })

/** Two digits that count. */
const roughly = (value: number): string =>
  Number(value.toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 6 })

const duration = (seconds: number): string => {
  if (seconds < 60) return `${roughly(seconds)} s`
  return seconds < 3600 ? `${roughly(seconds / 60)} minutes` : `${roughly(seconds / 3600)} hours`
}

const size = (bytes: number): string => (bytes < 1e9 ? `${roughly(bytes / 1e6)} MB` : `${roughly(bytes / 1e9)} GB`)

/** Where a part was measured. */
function where({ cores, coresOfOthers = 0, measuredAt }: Omit<Section<'start'>, 'figures'>): string {
  const others = coresOfOthers >= 0.1 ? `, ${round(coresOfOthers)} of them with other programs` : ''
  return `${cores} cores${others}, ${measuredAt.slice(0, 10)}`
}

/** The bytes of kept histories as Temporal stores them, apart from its own rows and without encryption. */
export interface HistorySizes {
  delivered: number
  wholeLife: number
  deletion: number
}

export async function historySizes(): Promise<HistorySizes> {
  const { History } = proto.temporal.api.history.v1
  const sizeOf = async (name: string): Promise<number> => {
    const json = await readFile(new URL(`${name}.json`, keptFolder), 'utf8')
    return History.encode(historyFromJSON(JSON.parse(json))).finish().length
  }
  const [delivered, wholeLife, deletion] = await Promise.all([
    sizeOf('order-waits-for-use.1'),
    sizeOf('order-used-and-expired.1'),
    sizeOf('account-deletion-complete.1'),
  ])
  return { delivered, wholeLife, deletion }
}

const ofPrograms = (cpu: CpuTime): number => programs.reduce((sum, name) => sum + (cpu[name] ?? 0), 0)

function measured(results: Required<Omit<Results, 'workers'>>, sizes: HistorySizes): string[] {
  const { orders, memory, deletion, sweep, notice, open } = results
  const { cpu, rounds, concurrency, toDelivered, wholeLife, checkout } = orders.figures
  const rates = rounds.map((each) => each.orders.perSecond)
  const shares = programs.map((name) => `${name} ${round(cpu.order[name] ?? 0, 0)}`).join(', ')
  const cached = Math.max(...memory.figures.samples.map(({ cachedRuns }) => cachedRuns))
  // Until its cache is full, memory grows with each run.
  const full = memory.figures.samples
    .filter(({ cachedRuns }) => cachedRuns >= 0.95 * cached)
    .map(({ residentMb }) => residentMb)
  const most = deletion.figures.among.at(-1)
  const largest = sweep.figures.among.at(-1)
  const { calm } = notice.figures
  const kB = (bytes: number): string => `${round(bytes / 1000)} kB`
  const rows: [what: string, figure: string, section: Omit<Section<'start'>, 'figures'> | undefined][] = [
    [
      `orders a second, ${concurrency} at a time`,
      `${round(Math.min(...rates))} to ${round(Math.max(...rates))}`,
      orders,
    ],
    [
      'processor time of an order',
      `${shares}: ${round(ofPrograms(cpu.order), 0)} ms; with simulators and driver ${round(cpuOfOurs(cpu.order), 0)} ms`,
      orders,
    ],
    [
      'orders a second for each core of workers, by that time',
      roughly(1000 / (cpu.order.worker ?? Number.NaN)),
      orders,
    ],
    [
      'POST of an order, one at a time',
      `${round(checkout.p50Ms, 0)} ms (p50), ${round(checkout.p99Ms, 0)} ms (p99)`,
      orders,
    ],
    [
      `the same beside ${number(open.figures.many.open)} open orders`,
      `${round(open.figures.many.p50Ms, 0)} ms (p50), ${round(open.figures.many.p95Ms, 0)} ms (p95)`,
      open,
    ],
    [
      'Temporal actions of an order, to its delivery / its whole life',
      `${toDelivered.actions} / ${wholeLife.eventful.actions}`,
      orders,
    ],
    [
      'history events of an order, to its delivery / its whole life',
      `${toDelivered.events} / ${wholeLife.eventful.events}`,
      orders,
    ],
    [
      "size of an order's history, to its delivery / its whole life, not encrypted",
      `${kB(sizes.delivered)} / ${kB(sizes.wholeLife)}`,
      undefined,
    ],
    ["size of a deletion's history", kB(sizes.deletion), undefined],
    [
      `memory of a worker with ${cached} cached runs, over ${number(memory.figures.samples.at(-1)?.orders ?? 0)} orders`,
      `${round(Math.min(...full), 0)} to ${round(Math.max(...full), 0)} MB`,
      memory,
    ],
    [
      `deletion of an account among ${number(most?.otherAccounts ?? 0)}`,
      `${round(most?.p50Ms ?? 0, 0)} ms (p50), ${round(most?.p99Ms ?? 0, 0)} ms (p99)`,
      deletion,
    ],
    [
      `inactivity sweep of ${number(largest?.accounts ?? 0)} accounts, a page of 500 that are due`,
      `${round(largest?.milliseconds ?? 0, 0)} ms`,
      sweep,
    ],
    [
      'policy notice, one worker without a limit by the mail server',
      `${number(calm.mailsPerSecond)} mails a second`,
      notice,
    ],
    [
      'its processor time of a mail',
      `PostgreSQL ${round(calm.cpu.PostgreSQL ?? 0)} ms, worker ${round(calm.cpu.worker ?? 0)} ms`,
      notice,
    ],
    ['its Temporal actions for 10,000 mails', String(calm.actionsPer10000), notice],
  ]
  return table(
    ['what', 'figure', 'where'],
    rows.map(([what, figure, section]) => [what, figure, section ? where(section) : 'kept histories of the tests']),
  )
}

function computed({ orders, notice }: Required<Omit<Results, 'workers'>>, sizes: HistorySizes): string[] {
  const { cpu, wholeLife } = orders.figures
  const { calm } = notice.figures
  const of = (accounts: number) => {
    const ordersPerYear = accounts * assumed.ordersPerAccountAndYear
    const mean = ordersPerYear / (365 * 86_400)
    const actionsPerMonth = (ordersPerYear / 12) * wholeLife.eventful.actions
    return {
      'orders a year': number(ordersPerYear),
      'orders a second, mean / peak': `${roughly(mean)} / ${roughly(mean * assumed.peak)}`,
      'cores at the peak, all four programs': roughly((mean * assumed.peak * ofPrograms(cpu.order)) / 1000),
      'Temporal actions of orders a month': number(actionsPerMonth),
      'cost of these actions a month, as assumed': `${roughly((actionsPerMonth / 1e6) * assumed.dollarsPerMillionActions)} $`,
      'histories of orders that Temporal holds at a time': number((ordersPerYear / 365) * assumed.daysOfHistory),
      'their size, apart from its own rows': size((ordersPerYear / 365) * assumed.daysOfHistory * sizes.wholeLife),
      'actions of a policy notice': number((accounts / 10_000) * calm.actionsPer10000),
      "a policy notice takes, one worker and its mail server's limit": duration(accounts / assumed.mailsPerSecond),
      'the same by the measured rate': duration(accounts / calm.mailsPerSecond),
      'deletions a day, a tenth of the accounts a year': number((accounts * assumed.deletionsPerAccountAndYear) / 365),
    }
  }
  const [small, middle, large] = [of(1e4), of(1e6), of(1e7)]
  return table(
    ['accounts', '10⁴', '10⁶', '10⁷'],
    keysOf(small).map((name) => [name, small[name], middle[name], large[name]]),
  )
}

/** The text of docs/capacity.md with both tables anew. @throws when a part of the benchmark has no results */
export function withTables(text: string, results: Results, sizes: HistorySizes): string {
  const { start, orders, profile, open, deletion, notice, sweep, memory } = results
  if (!start || !orders || !profile || !open || !deletion || !notice || !sweep || !memory)
    throw new Error('docs/capacity.md needs the results of every part')
  const all = { start, orders, profile, open, deletion, notice, sweep, memory }
  const tables = { Measured: measured(all, sizes), Computed: computed(all, sizes) }
  return Object.entries(tables).reduce(
    (written, [heading, lines]) =>
      written.replace(
        new RegExp(`(\n## ${heading}\n\n)(?:\\|.*\n)+`),
        (_all, head: string) => `${head}${lines.join('\n')}`,
      ),
    text,
  )
}

/** Writes both tables into docs/capacity.md. */
export async function writeCapacity(results: Results): Promise<void> {
  const text = await readFile(capacityFile, 'utf8')
  await writeFile(capacityFile, withTables(text, results, await historySizes()))
}
