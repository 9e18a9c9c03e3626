/** Restarts API and worker when a file is saved; the infrastructure keeps running. */

import { isCurrent } from '../cli/programs/built.mjs'
import { type ProgramName, root } from '../cli/programs/entry-points.ts'
import { migrate } from '../db/connection/migrate.ts'
import { createLog } from '../shared/log.ts'
import { messageOf } from '../shared/process/message-of.ts'
import { isBundled, programsOf, sources } from './programs/sources.ts'
import type { Services } from './stack.ts'
import { watchFiles } from './watch-files.ts'

export interface Reloading {
  /** Ends the watch. Resolves when no restart is open. */
  close(): Promise<void>
}

/** Folders whose code `npm run dev` itself has loaded and does not reload. */
const startedWith = ['cli', 'dev', 'sim']

/**
 * @param built the folder of the programs that run
 * @param say receives one line at a time
 */
export async function reloadOnChange(stack: Services, built: string, say: (line: string) => void): Promise<Reloading> {
  let waiting = new Set<string>()
  let working: Promise<void> | undefined
  let closed = false
  // This process bundles workflows with the code that it has loaded at its start.
  let builderIsCurrent = true

  async function work(): Promise<void> {
    while (waiting.size > 0 && !closed) {
      const files = [...waiting]
      waiting = new Set()
      await reload(files).catch((error: unknown) => {
        // The process's own output has been printed before.
        say(messageOf(error).split('\n')[0] ?? '')
        say('Not live: the next save tries again.')
      })
    }
    working = undefined
  }

  async function reload(all: string[]): Promise<void> {
    const files = all.filter((file) => !startedWith.includes(file.split('/')[0] ?? ''))
    if (files.length < all.length) say('Restart npm run dev to apply changes in cli/, dev/ or sim/.')
    if (files.length === 0) return
    const began = performance.now()
    const programs = (['api', 'worker'] as const).filter((name) =>
      files.some((file) => programsOf(file).includes(name)),
    )
    if (files.some((file) => file.startsWith('db/migrations/'))) await migrate(stack.config.DATABASE_URL)
    builderIsCurrent &&= !files.some((file) => /^(worker\/bundle|temporal\/(?:failure|payload)-converter)\b/.test(file))
    const results = await Promise.allSettled(programs.map((name) => restart(name, files.some(isBundled))))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    say(`${programs.map((name) => titles[name]).join(' and ')} live after ${seconds(performance.now() - began)}`)
  }

  async function restart(name: ProgramName, bundleChanged: boolean): Promise<void> {
    const bundled = name === 'worker' && bundleChanged && builderIsCurrent ? bundleAhead(stack) : undefined
    const results = await Promise.allSettled([stack[name].prepare(), bundled])
    for (const result of results) if (result.status === 'rejected') throw result.reason
    // A program that has failed, or did not drain in time, has ended too.
    await stack[name].stop().catch(() => undefined)
    await stack[name].start()
  }

  const isSource = (file: string): boolean => /\.(tsx?|mjs|cjs|sql|md|json)$/.test(file)
  const files = await watchFiles(root, [...sources, ...startedWith], isSource, (changed) => {
    for (const file of changed) waiting.add(file)
    working ??= work()
  })
  // Saved while the stack was starting.
  if (!isCurrent(built)) {
    for (const file of ['api/main.ts', 'worker/main.ts', 'workflows/index.ts']) waiting.add(file)
    working ??= work()
  }
  void warmUp(stack)
  return {
    async close() {
      closed = true
      files.close()
      await working
    },
  }
}

const titles = { api: 'the API', worker: 'the worker' } as const
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** Bundles the workflows here, where webpack is warm; the worker loads the stored bundle. */
async function bundleAhead(stack: Services): Promise<void> {
  const { loadBundle } = await import('../worker/bundle.ts')
  await loadBundle(bundleOptions(stack))
}

/** The first build takes more than twice as long as each later one, for which a developer waits. */
async function warmUp(stack: Services): Promise<void> {
  const { buildBundle } = await import('../worker/bundle.ts')
  // The worker, or the next save, reports what does not bundle.
  await buildBundle({ ...bundleOptions(stack), log: createLog({ level: 'silent' }) }).catch(() => undefined)
}

const bundleOptions = ({ config }: Services) => ({
  encrypted: config.PAYLOAD_KEYS !== undefined,
  versioned: config.WORKER_BUILD_ID !== undefined,
  incremental: true,
  log: createLog({ level: 'warn' }),
})
