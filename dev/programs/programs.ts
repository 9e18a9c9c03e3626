/** Starts, stops and restarts API and worker, in this process or as processes. */
import type { Limits } from '../../api/http/limits.ts'
import type { ProgramName } from '../../cli/programs/entry-points.ts'
import type { Infrastructure } from '../infrastructure.ts'
import type { Part } from '../part.ts'
import { createSwitch, type Starter, type Switch } from '../switch.ts'
import { createBuilds } from './builds.ts'
import { fromBuilt, startApiProcess, startWorkerProcess } from './separate-processes.ts'
import { importedPackages } from './sources.ts'
import { createSpare, type Spare } from './spare-process.ts'

/** Unfinished work is cancelled after this time: an activity is retried after its timeout. */
const shortDrainMs = 1_000

export interface ProgramOptions {
  processes: 'one' | 'apart'
  apiUrl: string
  /** one for each worker */
  metricsPorts: number[]
  limits: Partial<Limits>
  drainMs: number
  /** of programs in this process, as `StackOptions.replyTimeoutMs` */
  replyTimeoutMs?: number | undefined
  /** the environment of child processes */
  env: Record<string, string | undefined>
  onLogLine: ((line: string) => void) | undefined
  /** the folder of built programs, which processes load instead of the sources */
  built: string | undefined
  /** the programs start before it resolves */
  infrastructure: Promise<Infrastructure>
  /** receives every started part */
  watch: (part: Part) => void
  /** keeps processes ready for the next start, and drains them only briefly */
  restartOften: boolean
}

export interface Programs {
  api: Switch
  worker: Switch
  /** Ends the processes that were kept ready, and deletes what was built. */
  close(): Promise<void>
}

export function createPrograms(options: ProgramOptions): Programs {
  return options.processes === 'one' ? programsHere(options) : programsApart(options)
}

function programsHere(options: ProgramOptions): Programs {
  const { infrastructure, limits, drainMs, replyTimeoutMs, metricsPorts, watch } = options
  const modules = import('./in-process.ts')
  modules.catch(() => {}) // Its rejection is handled at a program's start.
  const startApi = async (): Promise<Part> => {
    const { startApiHere } = await modules
    return await startApiHere({ ...(await infrastructure), limits, drainMs, replyTimeoutMs })
  }
  const startWorker = async (metricsPort: number): Promise<Part> => {
    const { startWorkerHere } = await modules
    return await startWorkerHere({ ...(await infrastructure), metricsPort, drainMs, replyTimeoutMs })
  }
  return {
    api: createSwitch(watch, [{ start: startApi }]),
    worker: createSwitch(
      watch,
      metricsPorts.map((port) => ({ start: () => startWorker(port) })),
    ),
    async close() {},
  }
}

function programsApart(options: ProgramOptions): Programs {
  const { env, onLogLine, apiUrl, metricsPorts, watch, restartOften, built } = options
  const settings = options.infrastructure.then((known) => known.settings)
  settings.catch(() => {}) // Its rejection is handled by each process that waits for it.
  const apart = { env, settings, onLine: onLogLine, ...(restartOften && { stopWithinMs: shortDrainMs }) }
  const spares: Spare[] = []
  const builds = createBuilds()
  type Options = typeof apart & { entry?: string; warmUp?: readonly string[] }
  const starter = (program: ProgramName, start: (options: Options) => Promise<Part>): Starter => {
    const first = async (its: typeof settings): Promise<Part> =>
      await start({ ...apart, settings: its, ...(built !== undefined && (await fromBuilt(built, program))) })
    if (!restartOften) return { start: () => first(settings) }
    const spare = createSpare(settings, first, async (its) => {
      const [entry, warmUp] = await Promise.all([builds.fileOf(program), importedPackages(program)])
      return await start({ ...apart, settings: its, entry, warmUp })
    })
    spares.push(spare)
    return spare
  }
  const prepare = (program: ProgramName) => (restartOften ? () => builds.build(program) : undefined)
  return {
    api: createSwitch(watch, [starter('api', (its) => startApiProcess(its, apiUrl))], prepare('api')),
    worker: createSwitch(
      watch,
      metricsPorts.map((port) => starter('worker', (its) => startWorkerProcess(its, port))),
      prepare('worker'),
    ),
    async close() {
      for (const spare of spares) spare.close()
      await builds.close()
    },
  }
}
