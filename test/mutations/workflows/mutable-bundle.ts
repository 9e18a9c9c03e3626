/** One bundle with all mutants of the workflows. The id of a run says which of them is active in it. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from '@stryker-mutator/api/core'
import { bundleWorkflowCode } from '@temporalio/worker'
import { payloadConverterPath } from '../../../temporal/payload-codec.ts'
import { ownInterceptors } from '../../../worker/bundle.ts'
import { copyWithMutants } from '../instrument.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/**
 * Contracts are types and ids, and the words of the states are compared with docs/order-states.md. No replay reads the
 * versioning, which is a part of its own.
 */
const isMutated = (file: string): boolean =>
  file.startsWith('workflows/') &&
  !/\.contract\.ts$|order-states\.ts$|workflows\/index\.ts$|workflows\/versioning\//.test(file)

/** In a run's id the mutant's id follows it. */
export const mutantMark = '~'

/**
 * Each module asks this for the active mutant when a run loads it. `covered` goes to the sink of the same name, once
 * for each mutant that the run reaches.
 */
const mutantsOfRun = `globalThis.mutantsOfRun = () => {
  const activator = globalThis.__TEMPORAL_ACTIVATOR__;
  if (!activator) return {};
  if (!activator.mutants) {
    const report = new Proxy({}, { set(target, id) {
      if (!(id in target)) {
        target[id] = 1;
        activator.sinkCalls.push({ ifaceName: 'recorder', fnName: 'covered', args: [id], workflowInfo: activator.info });
      }
      return true;
    } });
    const activeMutant = activator.info.workflowId.split('${mutantMark}')[1] ?? 'none';
    // A mutant that is passed this often goes round in a loop. The recorder alone passes a guard of messages a thousand
    // times.
    activator.mutants = { activeMutant, hitCount: 0, hitLimit: 20_000, mutantCoverage: { static: report, perTest: {} } };
  }
  return activator.mutants;
};
`

/** Where Stryker's header looks for the active mutant: a global of its own, which no run has. */
const strykersOwn = 'g.__stryker__ || (g.__stryker__ = {})'

export async function bundleMutants(): Promise<{ code: string; mutants: readonly Mutant[] }> {
  const names = (await readdir(join(root, 'workflows'), { recursive: true }))
    .map((name) => `workflows/${name}`)
    .filter((name) => name.endsWith('.ts') && isMutated(name))
    .sort()
  const recorder = 'test/replay/asked/recorder.ts'
  const copied = ['workflows', 'policy', 'shared', 'package.json', 'tsconfig.json', recorder]
  const { folder, mutants } = await copyWithMutants('mutated-workflows', copied, names)
  for (const name of names) {
    const text = await readFile(join(folder, name), 'utf8')
    // Stryker gives its header to each file with a mutant. Without the replacement its mutants would never be active.
    if (/stryMutAct|__stryker__/.test(text) && !text.includes(strykersOwn)) {
      throw new Error(`${name}: Stryker's header looks for the active mutant in another way than ${strykersOwn}`)
    }
    if (!text.includes(strykersOwn)) continue
    await writeFile(join(folder, name), text.replace(strykersOwn, 'g.mutantsOfRun()'))
  }
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(folder, 'workflows/index.ts'),
    workflowInterceptorModules: [ownInterceptors, recorder].map((name) => join(folder, name)),
    payloadConverterPath,
  })
  return { code: mutantsOfRun + code, mutants }
}
