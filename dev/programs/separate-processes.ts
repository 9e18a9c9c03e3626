/** Starts API and worker, each as a process. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { compiledIn } from '../../cli/programs/built.mjs'
import { builtFile, loadedAhead, type ProgramName, packagesFile } from '../../cli/programs/entry-points.ts'
import { type Part, startProcess, untilReady } from '../part.ts'

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
  /** whether its packages are built in, with React's production build; default: they are not */
  hasPackages?: boolean
  /** where Node keeps what it has compiled, from 22.1 on; default: nowhere */
  compiled?: string
  /** how long it may drain, milliseconds; default: as long as it takes */
  stopWithinMs?: number
}

/** The options of a program that loads its built files and not its sources. @param folder that of built programs */
export async function fromBuilt(folder: string, program: ProgramName) {
  const packages: Record<string, string[]> = JSON.parse(await readFile(join(folder, packagesFile), 'utf8'))
  const main = `${program}/main.ts`
  const files = loadedAhead[program].map((source) => pathToFileURL(builtFile(folder, source)).href)
  const warmUp = [...(packages[main] ?? []), ...files]
  return { entry: builtFile(folder, main), warmUp, hasPackages: true, compiled: compiledIn(folder) }
}

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startApiProcess(options: ApartOptions, url: string): Promise<Part> {
  const { settings, onLine, entry = 'api/main.ts', warmUp = loadedAhead.api, stopWithinMs = 25_000 } = options
  const part = await startProcess({
    name: 'the API',
    entry,
    env: environmentOf(options),
    later: { env: settings, warmUp },
    onLine,
    stopWithinMs,
  })
  // The workers start at the same time.
  return await readyOrKilled(part, `${url}/readyz?exclude=workers`)
}

/** @throws when the process ends before it is ready, or `settings` rejects; no process is left */
export async function startWorkerProcess(options: ApartOptions, metricsPort: number): Promise<Part> {
  const {
    settings,
    onLine,
    entry = 'worker/main.ts',
    warmUp = loadedAhead.worker,
    hasPackages = false,
    stopWithinMs = 40_000,
  } = options
  const part = await startProcess({
    name: 'the worker',
    entry,
    preload: hasPackages ? [] : ['dev/production-react.mjs'],
    // As in the image (Dockerfile).
    env: { MALLOC_ARENA_MAX: '2', ...environmentOf(options) },
    later: {
      env: settings.then((known) => ({ ...known, WORKER_METRICS_PORT: String(metricsPort) })),
      warmUp,
    },
    onLine,
    stopWithinMs,
  })
  return await readyOrKilled(part, `http://127.0.0.1:${metricsPort}/readyz`)
}

const environmentOf = ({ env, compiled }: ApartOptions): ApartOptions['env'] =>
  compiled === undefined ? env : { NODE_COMPILE_CACHE: compiled, ...env }

async function readyOrKilled(part: Part, url: string): Promise<Part> {
  try {
    await untilReady(part, url)
    return part
  } catch (error) {
    await part.kill()
    throw error
  }
}
