/**
 * `npm run chaos -- --seed N --orders N --years N`: plays a seeded world on the real stack, and checks it by outside
 * books and acknowledgements alone. A world with violations shrinks to few events, which are written to a file and can
 * be played again by `--events FILE`. The exit code is 1 when a promise was broken or something never ended.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findTemporal } from '../../dev/temporal/executable.ts'
import { endWithUsage, readArguments } from '../../shared/process/arguments.ts'
import { violationsIn } from './oracles/oracles.ts'
import type { PlannedEvent } from './world/events.ts'
import { keepEvidence } from './world/evidence.ts'
import { describePlan, planOf } from './world/plan.ts'
import { type Played, play } from './world/play.ts'
import { digestOf, shapeOf } from './world/shape.ts'
import { shrink } from './world/shrink.ts'
import { startWorldStack, type WorldStack } from './world/stack/stack.ts'

const usage = `Usage: npm run chaos -- [--seed <n>] [--orders <n>] [--years <n>]
  --events <file>              plays these events, and not those of the seed
  --twice                      plays the world twice and compares the outside books
  --books <file>               writes what is compared to a file
  --sabotage double-refund     imitates a fault of the product
  --temporal sqlite|postgres   where Temporal keeps its runs; postgres has four shards
  --no-shrink                  does not look for the least of a broken world`
const { values } = readArguments(usage, {
  seed: { type: 'string', default: '1' },
  orders: { type: 'string', default: '40' },
  years: { type: 'string', default: '3' },
  events: { type: 'string' },
  books: { type: 'string' },
  twice: { type: 'boolean', default: false },
  sabotage: { type: 'string' },
  temporal: { type: 'string', default: 'sqlite' },
  'no-shrink': { type: 'boolean', default: false },
})
const seed = Number(values.seed)
const orders = Number(values.orders)
const years = Number(values.years)
process.env.TEST_SEED = String(seed)
const { temporal } = values
if (temporal !== 'sqlite' && temporal !== 'postgres') endWithUsage(usage, '--temporal knows sqlite and postgres.')
const sabotage = values.sabotage === 'double-refund' ? values.sabotage : undefined
if (values.sabotage !== undefined && sabotage === undefined)
  endWithUsage(usage, '--sabotage knows double-refund alone.')
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const command = `npm run chaos -- --seed ${seed} --orders ${orders} --years ${years}${sabotage ? ` --sabotage ${sabotage}` : ''}${temporal === 'postgres' ? ' --temporal postgres' : ''}`

interface Result extends Played {
  faults: string[]
  shape: string[]
}

const worlds: string[] = []
async function live(stack: WorldStack, events: readonly PlannedEvent[], isLoud: boolean): Promise<Result> {
  const before = [...worlds]
  const world = `s${seed}n${before.length + 1}x${process.pid}`
  worlds.push(world)
  const played = await play(stack, events, { world, before, years, sabotage, ...(isLoud && { onProgress: print }) })
  const violations = violationsIn(played.books, played.said).map(
    ({ promise, subject, what }) => `${promise} ${subject}: ${what}`,
  )
  return {
    ...played,
    faults: [...violations, ...played.stuck.map((what) => `stuck ${what}`)],
    shape: shapeOf(events, played.books, played.said, world),
  }
}

function report({ faults, shape, refused, said, books }: Result, startedAt: number): void {
  for (const [reason, count] of refused) print(`refused ${count} x ${reason}`)
  const ends = new Map<string, number>()
  for (const { status } of said.orders) ends.set(status, (ends.get(status) ?? 0) + 1)
  print(`orders: ${[...ends].map(([status, count]) => `${count} ${status}`).join(', ')}`)
  print(`events: ${said.events.length} listed, ${books.deliveries.length} arrived; sign-ins: ${said.signIns.length}`)
  print(`outside books: ${digestOf(shape)}; ${Math.round((Date.now() - startedAt) / 1000)} s`)
  for (const fault of faults) print(`VIOLATION ${fault}`)
  if (faults.length === 0) print('no promise was broken')
}

/** The events of each person, and all disturbances. */
function livesOf(all: readonly PlannedEvent[]): PlannedEvent[][] {
  const nameOf = (event: PlannedEvent): string => ('act' in event ? event.lane : 'disturbances')
  return [...new Set(all.map(nameOf))].map((name) => all.filter((event) => nameOf(event) === name))
}

/** Whether the same promise is broken, in whichever order. */
const kindOf = (fault: string): string => fault.split(' ', 1).join('')

async function reduce(stack: WorldStack, events: PlannedEvent[], first: Result): Promise<void> {
  // A `stuck` fault is often a consequence of a broken promise.
  const all = new Set(first.faults.map(kindOf))
  const broken = new Set([...all].filter((kind) => kind !== 'stuck'))
  const kinds = broken.size > 0 ? broken : all
  let tries = 0
  const fails = async (part: PlannedEvent[]): Promise<boolean> => {
    tries += 1
    const { faults } = await live(stack, part, false)
    const isFailing = faults.some((fault) => kinds.has(kindOf(fault)))
    print(`try ${tries}: ${part.length} events, ${isFailing ? 'fails' : 'keeps all promises'}`)
    return isFailing
  }
  // People live for themselves, mostly: whole lives go first, then single events.
  const inPlan = (groups: PlannedEvent[][]): PlannedEvent[] => {
    const kept = new Set(groups.flat())
    return events.filter((event) => kept.has(event))
  }
  const lives = await shrink(await livesInvolved(), (groups) => fails(inPlan(groups)))
  const small = await shrink(inPlan(lives), fails)

  /** Of hundreds of lives those that the violations name, with all disturbances, if they fail by themselves. */
  async function livesInvolved(): Promise<PlannedEvent[][]> {
    const lives = livesOf(events)
    const named = new Set(first.faults.flatMap((fault) => fault.match(/\bp\d+/g) ?? []))
    const involved = lives.filter((life) => life.some((event) => !('act' in event) || named.has(event.lane)))
    if (named.size === 0 || involved.length === lives.length) return lives
    return (await fails(inPlan(involved))) ? involved : lives
  }
  const file = join(tmpdir(), `chaos-${seed}-${process.pid}.json`)
  await writeFile(file, JSON.stringify(small, null, 2))
  print(`\n${small.length} of ${events.length} events are left:`)
  for (const event of small) print(JSON.stringify('act' in event ? event.act : event.disturbance))
  print(`\nagain, all of it:  ${command}`)
  print(`again, the least:  ${command} --events ${file}`)
}

if (temporal === 'sqlite') await findTemporal(print)
const events: PlannedEvent[] =
  values.events === undefined ? planOf({ seed, orders, years }) : JSON.parse(await readFile(values.events, 'utf8'))
print(`${command}\n${describePlan(events)}`)
const stack = await startWorldStack({ temporal })
let isBroken = false
try {
  const startedAt = Date.now()
  const first = await live(stack, events, true)
  report(first, startedAt)
  if (values.books !== undefined) await writeFile(values.books, `${first.shape.join('\n')}\n`)
  isBroken = first.faults.length > 0
  if (isBroken) {
    const files = await keepEvidence(stack, first.faults, first, join(tmpdir(), `chaos-${seed}-${process.pid}`))
    for (const file of files) print(`evidence: ${file}`)
  }
  if (values.twice) {
    const second = await live(stack, events, false)
    const differences = difference(first.shape, second.shape)
    print(`outside books of the second run: ${digestOf(second.shape)}`)
    for (const line of differences) print(line)
    for (const fault of second.faults) print(`VIOLATION in the second run ${fault}`)
    isBroken ||= differences.length > 0 || second.faults.length > 0
  }
  if (first.faults.length > 0 && !values['no-shrink']) await reduce(stack, events, first)
} finally {
  await stack.stop().catch((error: unknown) => {
    isBroken = true
    print(String(error))
  })
}
process.exit(isBroken ? 1 : 0)

function difference(one: readonly string[], other: readonly string[]): string[] {
  return [
    ...one.filter((line) => !other.includes(line)).map((line) => `- ${line}`),
    ...other.filter((line) => !one.includes(line)).map((line) => `+ ${line}`),
  ]
}
