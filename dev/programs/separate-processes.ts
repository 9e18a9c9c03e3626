/** Starts API and worker, each as a process. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Part, startProcess, untilReady } from '../part.ts'
import { builtFile, loadedAhead, type ProgramName, packagesFile } from './sources.ts'

interface ApartOptions {
  /** the environment of the process */
  env: Record<string, string | undefined>
  /** its settings, once they are known */
  settings: Promise<Record<string, string>>
  onLine: ((line: string) => void) | undefined
  /** a file that has all sources of the program; default: the program's own */
  entry?: string
  /** modules and packages that it loads before its settings are known; default: our modules */
  warmUp?: readonly string[]
  /** how long it may drain, milliseconds; default: as long as it takes */
  stopWithinMs?: number
}

/** The options of a program that loads its built files and not its sources. @param folder that of built programs */
export async function fromBuilt(folder: string, program: ProgramName) {
  const packages: Record<ProgramName, string[]> = JSON.parse(await readFile(join(folder, packagesFile), 'utf8'))
  const files = loadedAhead[program].map((source) => pathToFileURL(builtFile(folder, source)).href)
  return { entry: builtFile(folder, `${program}/main.ts`), warmUp: [...packages[program], ...files] }
}

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startApiProcess(options: ApartOptions, url: string): Promise<Part> {
  const { env, settings, onLine, entry = 'api/main.ts', warmUp = loadedAhead.api, stopWithinMs = 25_000 } = options
  const part = await startProcess({
    name: 'the API',
    entry,
    env,
    later: { env: settings, warmUp },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `${url}/readyz`)
}

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startWorkerProcess(options: ApartOptions, metricsPort: number): Promise<Part> {
  const {
    env,
    settings,
    onLine,
    entry = 'worker/main.ts',
    warmUp = loadedAhead.worker,
    stopWithinMs = 40_000,
  } = options
  const part = await startProcess({
    name: 'the worker',
    entry,
    preload: ['dev/production-react.mjs'],
    // The image sets it as well (Dockerfile).
    env: { MALLOC_ARENA_MAX: '2', ...env },
    later: {
      env: settings.then((known) => ({ ...known, WORKER_METRICS_PORT: String(metricsPort) })),
      warmUp,
    },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `http://127.0.0.1:${metricsPort}/readyz`)
}

async function readyOrKilled(part: Part, url: string): Promise<Part> {
  try {
    await untilReady(part, url)
    return part
  } catch (error) {
    await part.kill()
    throw error
  }
}
