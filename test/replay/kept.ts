/** The kept histories: one file each, `<scenario>.<number>.json`, in the form that Temporal's own tools export. */
import { readdir, readFile } from 'node:fs/promises'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import type { KeptHistory } from '../harness/temporal/histories.ts'

export const keptFolder = new URL('./histories/', import.meta.url)

export interface Kept extends KeptHistory {
  scenario: string
  workflowType: string
  /** higher for each version of the scenario */
  number: number
}

type About = Pick<Kept, 'scenario' | 'workflowType'>

/** Reads the kept histories, or those that are wanted, ordered by scenario and number. */
export async function readKept(isWanted: (about: About) => boolean = () => true): Promise<Kept[]> {
  const files = await readdir(keptFolder)
  const kept = await Promise.all(
    files.map(async (file) => {
      const [, scenario, number] = /^([a-z0-9-]+)\.(\d+)\.json$/.exec(file) ?? []
      if (!scenario) throw new Error(`${file} is no kept history`)
      const json = JSON.parse(await readFile(new URL(file, keptFolder), 'utf8'))
      const workflowType = String(json.events[0].workflowExecutionStartedEventAttributes.workflowType.name)
      // Reading one as a message takes most of the time.
      if (!isWanted({ scenario, workflowType })) return []
      const name = file.replace('.json', '')
      const history = historyFromJSON(json)
      return [{ scenario, workflowType, number: Number(number), workflowId: name, runId: name, history }]
    }),
  )
  return kept.flat().sort((a, b) => a.scenario.localeCompare(b.scenario) || a.number - b.number)
}
