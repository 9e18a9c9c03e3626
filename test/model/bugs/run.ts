/**
 * `node --import tsx test/model/bugs/run.ts`: plants each bug of bugs.ts, plays the same lives, and writes to
 * test/model/RESULTS.md what has caught it. Words select bugs by a part of their names; the rows of the others stay.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { findTemporal } from '../../../dev/temporal/executable.ts'
import { createLog } from '../../../shared/log.ts'
import { startWorker } from '../../../worker/run-worker.ts'
import { rememberState } from '../../harness/fresh-state.ts'
import { startProduct } from '../../harness/product.ts'
import { checkAgainstModel, fetchHistories } from '../../harness/temporal/histories.ts'
import { loadMutable } from '../../mutations/bundle.ts'
import { explore } from '../explore.ts'
import { drawnLives, lifeOf, playLives, rareLives } from '../lives/play.ts'
import { rulesOf, stepNames } from '../model.ts'
import { type Bug, bugs } from './bugs.ts'

const ofAll = 'the database is complete'
const atOnce = 16
const seed = 7
/** A life that needs longer than this for what happens by itself is caught. */
const timeoutMs = 12_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const words = process.argv.slice(2)
const chosen = bugs.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
const silent = createLog({ level: 'silent' })
await findTemporal(print)

const product = await startProduct({ workers: 0, settings: { MAIL_RATE_PER_SECOND: '10000' } })
const { stack, temporal, config, context } = product
const state = await rememberState(stack)
const mutated = await loadMutable({ encrypted: config.PAYLOAD_KEYS !== undefined, log: silent })
const { worlds, ends } = explore()
const finished = new Set<string>()
interface Row {
  name: string
  where: string
  lives: string
  histories: string
}
const results = new URL('../RESULTS.md', import.meta.url)
const rows: Row[] = words.length === 0 ? [] : rowsOf(await readFile(results, 'utf8').catch(() => ''))

try {
  const none: Bug = { name: 'none', where: 'workflow' }
  for (const bug of [none, ...chosen]) {
    const { answers, histories, steps, ms } = await played(bug)
    if (bug === none) print(stepsIn(steps))
    print(`${bug.name}: ${answers[0] ?? 'explained'} | ${histories ?? 'paths'} (${Math.round(ms / 1000)} s)`)
    const row = { name: bug.name, where: bug.where, lives: answers[0] ?? '-', histories: histories ?? '-' }
    if (bug === none && (answers.length > 0 || histories)) throw new Error('the lives fail without any bug')
    if (bug === none) continue
    const before = rows.findIndex(({ name }) => name === row.name)
    rows.splice(before === -1 ? rows.length : before, before === -1 ? 0 : 1, row)
    // After each, since all of them take some minutes.
    await writeFile(results, report())
  }
} finally {
  await product.stop()
}
const missed = missedOf(rows)
print(`${rows.length - missed.length} of ${rows.length} bugs were caught`)
for (const { name } of missed) print(`MISSED ${name}`)
process.exit(missed.length === 0 ? 0 : 1)

async function played(bug: Bug) {
  const startedAt = Date.now()
  if (bug.sql) await context.sql.unsafe(bug.sql.plant)
  const worker = await startWorker(
    { ...context, temporal, ...bug.ports?.(context) },
    { environment: product.settings, bundle: { code: mutated(bug.mutations ?? []) }, drainMs: 1_000 },
  )
  try {
    const lives = [...(drawnLives(atOnce, 1, seed)[0] ?? []), ...rareLives.map(({ acts }) => lifeOf(acts))]
    const { faults, story } = await playLives(product, lives, {
      timeoutMs,
      endsEarly: true,
    })
    const histories = await checkAgainstModel(await fetchHistories(temporal, finished), config.PAYLOAD_KEYS).then(
      () => undefined,
      (error: Error) => firstFault(error.message),
    )
    return { answers: faults.map(firstLine), histories, steps: story, ms: Date.now() - startedAt }
  } finally {
    await worker.stop()
    if (bug.sql) await context.sql.unsafe(bug.sql.remove)
    await state.restore()
    for await (const { runId } of temporal.workflow.list()) finished.add(runId)
  }
}

/** The rows that an earlier run has written, of bugs that are still planted. */
function rowsOf(text: string): Row[] {
  const cells = text.split('\n').map((line) => line.slice(2, -2).split(' | '))
  return cells.flatMap(([name = '', where = '', byLives = '', histories = '']) =>
    bugs.some((bug) => bug.name === name) ? [{ name, where, lives: byLives, histories }] : [],
  )
}

function missedOf(all: Row[]): Row[] {
  return all.filter((row) => row.lives === '-' && row.histories === '-')
}

/** How often each step was taken. */
function stepsIn(story: string[]): string {
  const counts = new Map<string, number>()
  for (const step of story) counts.set(step, (counts.get(step) ?? 0) + 1)
  return [...counts]
    .sort()
    .map(([step, count]) => `${count} x ${step}`)
    .join('\n')
}

function firstLine(text: string): string {
  return text.split('\n', 1).join('')
}

function firstFault(message: string): string {
  return (message.split('\n')[1] ?? message).replace(/-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '')
}

function report(): string {
  // One of them is a rule of nearly all steps.
  const rules = new Set(stepNames.flatMap((step) => rulesOf(step).map((rule) => (rule === ofAll ? rule : step + rule))))
    .size
  const line = ({ name, where, lives: byLives, histories }: Row): string =>
    `| ${name} | ${where} | ${byLives.replaceAll('|', '\\|')} | ${histories.replaceAll('|', '\\|')} |`
  return `# The model

Made by \`node --import tsx test/model/bugs/run.ts\`, with the seed ${seed}.

The model has ${stepNames.length} steps with ${rules} rules. Taken in every order they lead to ${worlds} worlds, of which ${ends} are ends, and
no invariant breaks in any. Without any single rule one does ([\`model.test.ts\`](model.test.ts)).

## Seeded bugs

Each is planted alone; then the same lives are played, ${atOnce} that are drawn and ${rareLives.length} that few draws have. ${rows.length - missedOf(rows).length} of ${rows.length} were caught: by an answer or an end that
the model does not explain, or by a history that is no path of the model. Without a bug both find nothing.

| bug | in | the first answer or end that was not explained | the first history that was no path |
| --- | --- | --- | --- |
${rows.map(line).join('\n')}
`
}
