/** Brings saved files to life: API and worker start again, everything that they stand on stays. */
import { createLog } from '../shared/log.ts'
import { migrateDatabase } from './infrastructure.ts'
import { isBundled, type ProgramName, programsOf, root, sources } from './programs/sources.ts'
import type { Stack } from './stack.ts'
import { watchFiles } from './watch-files.ts'

export interface Reloading {
  /** Resolves when nothing is being reloaded, and nothing will be. */
  close(): Promise<void>
}

/** What `npm run dev` started with and does not load again. */
const startedWith = ['cli', 'dev', 'sim']

/** @param say receives one line at a time */
export async function reloadOnChange(stack: Stack, say: (line: string) => void): Promise<Reloading> {
  let waiting = new Set<string>()
  let working: Promise<void> | undefined
  let closed = false
  // This process builds with the builder that it has loaded.
  let builderIsCurrent = true

  async function work(): Promise<void> {
    while (waiting.size > 0 && !closed) {
      const files = [...waiting]
      waiting = new Set()
      await reload(files).catch((error: unknown) => {
        // What a process wrote before it ended has been read already.
        say((error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '')
        say('Not live: the next save tries again.')
      })
    }
    working = undefined
  }

  async function reload(all: string[]): Promise<void> {
    const files = all.filter((file) => !startedWith.includes(file.split('/')[0] ?? ''))
    if (files.length < all.length) say('A change of cli/, dev/ or sim/ needs a new start of npm run dev.')
    if (files.length === 0) return
    const began = performance.now()
    const programs = (['api', 'worker'] as const).filter((name) =>
      files.some((file) => programsOf(file).includes(name)),
    )
    if (files.some((file) => file.startsWith('db/migrations/'))) await migrateDatabase(stack.config.DATABASE_URL)
    builderIsCurrent &&= !files.some((file) => /^(worker\/bundle|temporal\/failure-converter)\b/.test(file))
    const results = await Promise.allSettled(programs.map((name) => restart(name, files.some(isBundled))))
    for (const result of results) if (result.status === 'rejected') throw result.reason
    say(`${programs.map((name) => titles[name]).join(' and ')} live after ${seconds(performance.now() - began)}`)
  }

  async function restart(name: ProgramName, bundleChanged: boolean): Promise<void> {
    if (name === 'worker' && bundleChanged && builderIsCurrent) await bundleAhead(stack)
    // Whoever ended by itself, or had to be cut off, is gone as well.
    await stack[name].stop().catch(() => undefined)
    await stack[name].start()
  }

  const isSource = (file: string): boolean => /\.(tsx?|mjs|cjs|sql|md|json)$/.test(file)
  const files = await watchFiles(root, [...sources, ...startedWith], isSource, (changed) => {
    for (const file of changed) waiting.add(file)
    working ??= work()
  })
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

/** Here webpack is warm, and the worker finds what was kept. */
async function bundleAhead({ config }: Stack): Promise<void> {
  const { loadBundle } = await import('../worker/bundle.ts')
  await loadBundle({
    encrypted: config.PAYLOAD_KEYS !== undefined,
    versioned: config.WORKER_BUILD_ID !== undefined,
    log: createLog({ level: 'warn' }),
  })
}
