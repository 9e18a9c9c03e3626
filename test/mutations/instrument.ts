/** A copy of sources that holds all mutants at once, each behind a switch: Stryker's instrumenter makes both. */
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from '@stryker-mutator/api/core'
import type { Logger } from '@stryker-mutator/api/logging'
import { Instrumenter } from '@stryker-mutator/instrumenter'
import { type MutantOutcome, textAt } from './results.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The sources as they were changed: a run takes half an hour, in which somebody may edit them. */
const originals = new Map<string, string>()

/**
 * Copies what is named, with mutants in some of the files.
 * @param to a folder of .data, made anew
 */
export async function copyWithMutants(
  to: string,
  names: readonly string[],
  mutated: readonly string[],
): Promise<{ folder: string; mutants: readonly Mutant[] }> {
  const folder = join(root, '.data/mutants', to)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const name of names) await cp(join(root, name), join(folder, name), { recursive: true })
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const files = await Promise.all(
    mutated.map(async (name) => ({ name, mutate: true, content: await readFile(join(root, name), 'utf8') })),
  )
  for (const { name, content } of files) originals.set(name, content)
  const options = { plugins: null, excludedMutations: [], ignorers: [], noHeader: false }
  const { files: instrumented, mutants } = await new Instrumenter(silent).instrument(files, options)
  for (const { name, content } of instrumented) await writeFile(join(folder, name), content)
  return { folder, mutants }
}

/** Describes a mutant for the document. */
export function describeMutant(
  { fileName, location, mutatorName, replacement }: Mutant,
  outcome: MutantOutcome['outcome'],
): MutantOutcome {
  const lines = (originals.get(fileName) ?? '').split('\n')
  return {
    file: fileName,
    line: location.start.line + 1,
    mutator: mutatorName,
    original: textAt(lines, location),
    replacement,
    outcome,
  }
}

const quiet = () => undefined
const off = () => false
const silent: Logger = {
  isTraceEnabled: off,
  isDebugEnabled: off,
  isInfoEnabled: off,
  isWarnEnabled: off,
  isErrorEnabled: off,
  isFatalEnabled: off,
  trace: quiet,
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: quiet,
  fatal: quiet,
}
