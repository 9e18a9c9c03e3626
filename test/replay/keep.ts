/**
 * Keeps histories for the replay test: `node --import tsx test/replay/keep.ts` plays every scenario of which none is kept
 * yet, with names those scenarios once more. Files are added and never written over: runs that old code began have to
 * replay for as long as one of them may be open.
 */
import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { fetchHistories } from '../rig/histories.ts'
import { openStage, type Stage } from '../rig/stage.ts'
import { until } from '../rig/until.ts'
import { keptFolder, readKept } from './kept.ts'
import { scenarios } from './scenarios.ts'

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in scenarios))
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}`)

await mkdir(keptFolder, { recursive: true })
const kept = await readKept()
const names =
  asked.length > 0 ? asked : Object.keys(scenarios).filter((name) => !kept.some((one) => one.scenario === name))
const stage = await openStage()
try {
  for (const name of names) console.log(`kept ${await keep(stage, name)}`)
} finally {
  await stage.stop()
  execFileSync('npx', ['biome', 'format', '--write', fileURLToPath(keptFolder)], { stdio: 'ignore' })
}

async function keep(onStage: Stage, name: string): Promise<string> {
  const workflowId = await scenarios[name]?.(onStage)
  if (workflowId === undefined) throw new Error(`no scenario ${name}`)
  await until('the run waits or has ended', async () => {
    const { raw } = await onStage.temporal.workflow.getHandle(workflowId).describe()
    return !raw.pendingWorkflowTask
  })
  const found = (await fetchHistories(onStage.temporal)).find((run) => run.workflowId === workflowId)
  if (!found) throw new Error(`${workflowId} is gone`)
  const text = impersonal(historyToJSON(found.history))
  const number = Math.max(0, ...kept.filter(({ scenario }) => scenario === name).map((one) => one.number)) + 1
  const file = new URL(`${name}.${number}.json`, keptFolder)
  await writeFile(file, text, { flag: 'wx' })
  await reset(onStage)
  return `${name}.${number}`
}

/** Without the names of this machine and of its processes. @throws when one of them is elsewhere than expected */
function impersonal(history: string): string {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const text = history
    .replace(/"\d+@[^"]+"/g, '"a process"')
    .replaceAll(root, '')
    .replace(/(?:\/[\w.-]+)+\/node_modules\//g, 'node_modules/')
  for (const trace of [hostname(), homedir(), root, root.slice(0, -1)]) {
    if (text.includes(trace) && trace.length > 3) throw new Error(`the history names ${trace}`)
  }
  return text
}

/** The next scenario finds the outside world as the first one did. */
async function reset({ sims }: Stage): Promise<void> {
  const { stripe, esimAccess, airalo, mailbox, meta, googleAnalytics } = sims
  await Promise.all([stripe, esimAccess, airalo, mailbox, meta, googleAnalytics].map((party) => party.reset()))
}
