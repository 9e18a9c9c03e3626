/** Checks whether a build can continue the existing runs: it replays their histories and reports the failed ones. */
import { readdir, readFile } from 'node:fs/promises'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { createDataConverter, type PayloadKeyring } from '../../temporal/payload-codec.ts'
import type { Deployment } from '../../temporal/worker-deployment.ts'
import type { WorkflowBundle } from '../../worker/bundle.ts'
import { failedReplays } from '../../worker/replay.ts'
import { chooseRuns, fetchHistory, listRunsToReplay } from './runs-to-replay.ts'

export interface CheckOptions {
  bundle: WorkflowBundle
  payloadKeys: PayloadKeyring | undefined
  /** most open runs of each type that are replayed */
  perType: number
  /** runs that are known not to replay */
  except: readonly string[]
  /** the files of kept histories to replay; default: all of them */
  keptFiles?: readonly string[]
  say(line: string): void
}

export interface CheckResult {
  kept: number
  open: number
  /** open runs that were not replayed, since there are too many of their type */
  leftOut: number
  failed: { name: string; cause: string }[]
}

const histories = new URL('../../test/replay/histories/', import.meta.url)
const progressEvery = 250

/** Replays the kept histories, which the image has too, and the open runs of the namespace. */
export async function checkReplay(deployment: Deployment, options: CheckOptions): Promise<CheckResult> {
  const { bundle, payloadKeys, perType, except, say } = options
  const result: CheckResult = { kept: 0, open: 0, leftOut: 0, failed: [] }
  const all = (await listRunsToReplay(deployment)).filter(({ workflowId }) => !except.includes(workflowId))
  const chosen = chooseRuns(all, perType)
  result.leftOut = all.length - chosen.length
  const files = options.keptFiles ?? (await allKept())
  say(`Replaying ${files.length} kept histories and ${chosen.length} of ${all.length} open runs.`)

  async function* both() {
    for (const file of files) {
      result.kept += 1
      const history = historyFromJSON(JSON.parse(await readFile(new URL(file, histories), 'utf8')))
      yield { workflowId: `${file.replace('.json', '')} (kept)`, history }
    }
    for (const run of chosen) {
      const history = await fetchHistory(deployment.client, run)
      if (history === undefined) continue
      result.open += 1
      if (result.open % progressEvery === 0) say(`  ${result.open} of ${chosen.length} open runs ...`)
      yield { workflowId: run.workflowId, history }
    }
  }
  const types = new Map(chosen.map(({ workflowId, workflowType }) => [workflowId, workflowType]))
  const failed = await failedReplays(
    { workflowBundle: bundle, dataConverter: createDataConverter(payloadKeys), replayName: 'deploy' },
    both(),
  )
  for (const [workflowId, error] of failed) {
    const type = types.get(workflowId)
    result.failed.push({ name: type ? `${workflowId} (${type})` : workflowId, cause: causeOf(error) })
  }
  return result
}

/** The sentence that names the cause; the SDK puts it into pages of other text. */
const causeOf = ({ message }: Error): string => /\[TMPRL\d+\][^"]*/.exec(message)?.[0] ?? message

/** None where their folder was left out; `check` then refuses the build. */
async function allKept(): Promise<string[]> {
  const files = await readdir(histories).catch(() => [])
  return files.filter((file) => file.endsWith('.json')).sort()
}
