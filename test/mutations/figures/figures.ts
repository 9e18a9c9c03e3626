/**
 * Mutants of the evidence figures, met by the planted violations: with a mutant, a figure must not show a violation as
 * it should, or must show one where there is none.
 */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'
import { copyWithMutants, describeMutant } from '../instrument.ts'
import type { MutantOutcome } from '../results.ts'

const others = ['api/evidence/exports.ts', 'api/evidence/sub-processors.ts']

export async function mutateFigures(): Promise<MutantOutcome[]> {
  const readers = (await readdir('db/evidence')).filter((name) => name !== 'operation.ts')
  const mutated = [...readers.map((name) => `db/evidence/${name}`), ...others]
  const { stdout } = await promisify(execFile)('git', ['ls-files', '*.ts', '*.tsx', '*.cjs', '*.sql', '*.json', '*.md'])
  const folders = new Set(stdout.split('\n').flatMap((name) => (name ? [name.split('/')[0] ?? ''] : [])))
  const { folder, mutants } = await copyWithMutants('mutated-figures', [...folders], mutated)
  const found = join(folder, 'killed.json')
  const drawn = mutants.map(({ id, fileName }) => `${id} ${fileName}`)
  await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'test/mutations/figures/play.ts', found, JSON.stringify(drawn)],
    { cwd: folder, maxBuffer: 10 ** 8, env: { ...process.env, TEST_SEED: process.env.TEST_SEED ?? '1' } },
  )
  const { killed, reached, tables } = z
    .record(z.string(), z.array(z.string()))
    .parse(JSON.parse(await readFile(found, 'utf8')))
  return mutants.map((mutant) => {
    if (killed?.includes(mutant.id)) return describeMutant(mutant, 'killed')
    if (tables?.includes(mutant.id)) return describeMutant(mutant, 'left out')
    return describeMutant(mutant, reached?.includes(mutant.id) ? 'survived' : 'not reached')
  })
}
