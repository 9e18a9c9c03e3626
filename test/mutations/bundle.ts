import { fileURLToPath } from 'node:url'
import { type BundleOptions, loadBundle } from '../../worker/bundle.ts'
import type { Mutation } from './mutation.ts'

const interceptors = fileURLToPath(new URL('./interceptors.ts', import.meta.url))

/**
 * Loads a bundle of the current sources that mutations can change, and returns what makes its code with these
 * mutations.
 */
export async function loadMutable(
  options: Omit<BundleOptions, 'interceptors'>,
): Promise<(mutations: Mutation[]) => string> {
  const { code } = await loadBundle({ ...options, interceptors })
  // In the first line, because the source map counts lines.
  return (mutations) => `globalThis.workflowMutations = ${JSON.stringify(mutations)};${code}`
}
