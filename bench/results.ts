/** The stored results, part by part: one part can be measured again without the others. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import type { Figures, PartName, Size } from './parts.ts'

export interface Section<Name extends PartName> {
  /** ISO 8601, to the minute */
  measuredAt: string
  machine: string
  cores: number
  size?: Size
  minutes: number
  /** the cores that other programs used; absent on a system that does not show it */
  coresOfOthers?: number
  figures: Figures<Name>
}

export type Results = { [Name in PartName]?: Section<Name> }

const resultsFile = new URL('./results.json', import.meta.url)
export const reportFile = new URL('./RESULTS.md', import.meta.url)

export async function readResults(): Promise<Results> {
  return JSON.parse(await readFile(resultsFile, 'utf8'))
}

export async function writeResults(results: Results): Promise<void> {
  await writeFile(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
}

export function machine(): { machine: string; cores: number } {
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}, Node ${process.version}`,
    cores: cpus().length,
  }
}
