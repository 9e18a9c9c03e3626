/** The results as Markdown. */
import { compareWithBudgets, partsWithRows, type Row } from './budgets.ts'
import type { CpuTime } from './cpu.ts'
import { round } from './measure.ts'
import type { PartName } from './parts.ts'
import { timesOf } from './profile/times.ts'
import type { Results, Section } from './results.ts'

export function report(results: Results): string {
  const rows = compareWithBudgets(results)
  const lacking = partsWithRows.filter((part) => !results[part])
  return [
    '# Benchmark results',
    '',
    '`npm run bench` makes this page from [results.json](results.json); `npm run bench -- orders` repeats one part. Temporal,',
    'PostgreSQL, API, worker and the simulators share the machine: ratios say more than rates. The floor is a baseline: a',
    'workflow of the same shape with empty activities ([floor/](floor/)), measured in the same run, in turns with orders.',
    'Both databases are temporary: Temporal has a file with a write-ahead log, PostgreSQL runs without fsync.',
    '',
    ...table(
      ['what', 'budget', 'measured', 'spread', '', '`npm run bench --`', 'measured on'],
      rows.map((row) => [
        row.what,
        row.budget,
        row.measured,
        row.spread ?? '',
        verdictOf(row, results[row.part]),
        `\`${row.part}\``,
        shortly(results[row.part]),
      ]),
    ),
    ...(lacking.length === 0
      ? []
      : [`Not measured yet: ${lacking.map((part) => `\`npm run bench -- ${part}\``).join(', ')}.`, '']),
    ...missedOnes(rows, lacking),
    '## When and where',
    '',
    ...table(
      ['part', 'measured on', 'machine', 'size', 'minutes', "cores of other programs' work"],
      Object.entries(results).map(([part, section]) => whenAndWhere(part, section)),
    ),
    ...orders(results),
    ...profile(results),
    ...workers(results),
    ...open(results),
    ...deletion(results),
    ...notice(results),
    ...sweep(results),
    ...memory(results),
    ...start(results),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n')
}

function missedOnes(rows: readonly Row[], lacking: readonly PartName[]): string[] {
  const missed = rows.filter(({ kept }) => kept === false)
  if (missed.length > 0) return ['Missed budgets:', '', ...missed.map(({ what, why }) => `- ${what}: ${why}.`), '']
  return lacking.length === 0 ? ['Every budget is kept.', ''] : []
}

/** A short measurement has fewer orders and accounts than the budget names. */
function verdictOf({ kept }: Row, section: Omit<Section<'start'>, 'figures'> | undefined): string {
  if (kept === undefined) return 'no bound'
  const verdict = kept ? 'kept' : '**missed**'
  return (section?.size ?? 'full') === 'full' ? verdict : `${verdict}, by fewer`
}

/** The day and the number of cores; the machine is in the table of the parts. */
const shortly = (section: Omit<Section<'start'>, 'figures'> | undefined): string =>
  section ? `${section.measuredAt.slice(0, 10)}, ${section.cores} cores` : ''

function whenAndWhere(part: string, section: Omit<Section<'start'>, 'figures'>): string[] {
  const { measuredAt, machine, size = 'full', minutes, coresOfOthers } = section
  const others = coresOfOthers === undefined ? 'unknown' : String(round(coresOfOthers))
  return [part, measuredAt.replace('T', ' '), machine, size, String(round(minutes)), others]
}

function orders({ orders: section }: Results): string[] {
  if (!section) return []
  const { rounds, cpu, wholeLife, concurrency } = section.figures
  const { untouched, eventful } = wholeLife
  return [
    `## Orders, ${concurrency} at a time`,
    '',
    ...table(
      [
        'round',
        'orders/s',
        'p50 ms',
        'p99 ms',
        'floor/s',
        'floor p50 ms',
        'floor p99 ms',
        'ratio',
        'sample/s',
        'ratio',
      ],
      rounds.map(({ orders: ours, floor, sample, ratio, sampleRatio }, index) => [
        String(index + 1),
        ...[ours.perSecond, ours.p50Ms, ours.p99Ms, floor.perSecond, floor.p50Ms, floor.p99Ms].map((value) =>
          String(round(value)),
        ),
        String(round(ratio, 2)),
        String(round(sample.perSecond)),
        String(round(sampleRatio, 2)),
      ]),
    ),
    'Processor time, in milliseconds:',
    '',
    ...cpuTable({
      'an order': cpu.order,
      'a run of the floor': cpu.floor,
      "an order of Temporal's sample": cpu.sample,
    }),
    `Whole lives, in skipped time: ${round(eventful.days, 0)} days of an eSIM that is installed, used and used up,`,
    `${round(untouched.days, 0)} days of one that is never used.`,
    '',
  ]
}

function profile({ profile: section }: Results): string[] {
  if (!section) return []
  const { orders: count, order, floor, cpu } = section.figures
  return [
    "## What the worker's processor time is for",
    '',
    `Samples of the stacks of the worker's two threads during ${count} orders, and of the floor's worker during as many runs of`,
    'the floor. The shares of the samples are applied to the processor time of the process, in milliseconds for one.',
    '',
    ...cpuTable(
      { 'an order': timesOf(order, cpu.order.worker), 'a run of the floor': timesOf(floor, cpu.floor['floor worker']) },
      1,
    ),
  ]
}

function workers({ workers: section }: Results): string[] {
  if (!section) return []
  const { measured, ordersPerRound, concurrency } = section.figures
  const [one] = measured
  if (!one) return []
  return [
    '## Worker processes',
    '',
    `${ordersPerRound} orders, ${concurrency} at a time, on Temporal over PostgreSQL with four shards, a new server for each. All share ${section.cores} cores,`,
    'so that more processes help only as long as one of them is what is waited for.',
    '',
    ...table(
      ['worker processes', 'orders/s', 'beside one', 'p50 ms', 'p99 ms'],
      measured.map(({ workers: count, orders: { perSecond, p50Ms, p99Ms } }) => [
        String(count),
        String(round(perSecond)),
        String(round(perSecond / one.orders.perSecond, 2)),
        String(round(p50Ms)),
        String(round(p99Ms)),
      ]),
    ),
    'Processor time of an order, in milliseconds:',
    '',
    ...cpuTable(Object.fromEntries(measured.map(({ workers: count, cpu }) => [`with ${count}`, cpu]))),
  ]
}

function open({ open: section }: Results): string[] {
  if (!section) return []
  const { none, many, posts, lookUps } = section.figures
  return [
    '## Open orders',
    '',
    `${posts} requests one at a time, before and after thousands of orders that nobody pays. ${lookUps.toLocaleString('en')} of those`,
    'were looked up at the payment processor during the second measurement.',
    '',
    ...table(
      ['open orders', 'POST p50 ms', 'p95 ms'],
      [none, many].map(({ open: count, p50Ms, p95Ms }) => [
        count.toLocaleString('en'),
        String(round(p50Ms)),
        String(round(p95Ms)),
      ]),
    ),
    'Processor time of everything that happened meanwhile, for each request, in milliseconds:',
    '',
    ...cpuTable({ before: none.cpu, 'with open orders': many.cpu }),
  ]
}

function deletion({ deletion: section }: Results): string[] {
  if (!section) return []
  return [
    '## Deletions',
    '',
    'People with a phone, a delivered order and its run are deleted one at a time.',
    '',
    ...table(
      ['other accounts', 'DELETE p50 ms', 'p99 ms', 'bare update p50 ms', 'p99 ms', 'ratio p50', 'p99'],
      section.figures.among.map((one) => [
        one.otherAccounts.toLocaleString('en'),
        ...[one.p50Ms, one.p99Ms, one.floorP50Ms, one.floorP99Ms].map((value) => String(round(value))),
        ...[one.p50Ratio, one.p99Ratio].map((value) => String(round(value, 2))),
      ]),
    ),
  ]
}

function notice({ notice: section }: Results): string[] {
  if (!section) return []
  const { pool, calm, killed } = section.figures
  return [
    '## Policy notice',
    '',
    ...table(
      ['run', 'recipients', 'seconds', 'mails/s', 'unreached', 'twice', 'in doubt', 'actions per 10,000'],
      [['undisturbed', calm] as const, [`worker killed ${killed.kills} times`, killed] as const].map(([name, run]) => [
        name,
        run.recipients.toLocaleString('en'),
        ...[run.seconds, run.mailsPerSecond, run.unreached, run.duplicates, run.inDoubt, run.actionsPer10000].map(
          (value) => String(round(value)),
        ),
      ]),
    ),
    'Mails in doubt after a kill wait for the end of their lease and for the next pass, partly in skipped time.',
    'Processor time of a mail, in milliseconds:',
    '',
    ...cpuTable({ 'of the notice': calm.cpu, "of nodemailer's pool alone": pool.cpu }, 2),
  ]
}

function sweep({ sweep: section }: Results): string[] {
  if (!section) return []
  const { among } = section.figures
  return [
    '## Inactivity sweep',
    '',
    ...table(
      ['accounts', 'of them due', 'ms'],
      among.map(({ accounts, found, milliseconds }) => [
        accounts.toLocaleString('en'),
        found.toLocaleString('en'),
        String(round(milliseconds)),
      ]),
    ),
    ...(among.at(-1)?.plan ?? []).map((node) => `- ${node}`),
    '',
  ]
}

function memory({ memory: section }: Results): string[] {
  if (!section) return []
  return [
    '## Memory of the worker',
    '',
    'The SDK caches a limited number of runs; until its cache is full, memory grows with each run.',
    '',
    ...table(
      ['orders', 'resident MB', 'heap of the main thread MB', 'cached runs'],
      section.figures.samples.map((sample) =>
        [sample.orders, sample.residentMb, sample.heapMb, sample.cachedRuns].map((value) => String(round(value, 0))),
      ),
    ),
  ]
}

function start({ start: section }: Results): string[] {
  if (!section) return []
  const { starts, cpu } = section.figures
  return [
    '## Start',
    '',
    ...table(
      ['start', 'seconds', 'of these after npm'],
      starts.map(({ seconds, stackSeconds }, index) => [
        String(index + 1),
        String(round(seconds, 2)),
        String(round(stackSeconds, 2)),
      ]),
    ),
    'Processor time of a start, in milliseconds:',
    '',
    ...cpuTable({ 'a start': cpu }),
  ]
}

/** Without `others`, which another table shows. */
function cpuTable(columns: Record<string, CpuTime>, digits = 0): string[] {
  const times = Object.values(columns)
  const names = [...new Set(times.flatMap((time) => Object.keys(time)))]
    .filter((name) => name !== 'others' && times.some((time) => round(time[name] ?? 0, digits) !== 0))
    .sort((a, b) => (times[0]?.[b] ?? 0) - (times[0]?.[a] ?? 0))
  return table(
    ['', ...Object.keys(columns)],
    names.map((name) => [name, ...times.map((time) => String(round(time[name] ?? 0, digits)))]),
  )
}

/** A table in Markdown, with an empty line after it. */
export const table = (head: string[], rows: string[][]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${' --- |'.repeat(head.length)}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
]
