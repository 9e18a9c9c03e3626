/** API and worker: how they are started, in this process or apart, and turned off and on. */
import type { Limits } from '../../api/http/limits.ts'
import type { Config } from '../../config.ts'
import type { Log } from '../../shared/log.ts'
import type { Part } from '../part.ts'
import type { Settings } from '../stack-settings.ts'
import { createSwitch, type Switch } from '../switch.ts'
import { startApiProcess, startWorkerProcess } from './apart.ts'

export interface ProgramSettings {
  config: Config
  /** where Temporal is, unless the process's own environment says so */
  temporalEnvironment: Settings | undefined
  log: Log
}

export interface ProgramOptions {
  processes: 'one' | 'apart'
  apiUrl: string
  /** one for each worker */
  metricsPorts: number[]
  limits: Partial<Limits>
  drainMs: number
  /** what processes inherit */
  env: Record<string, string | undefined>
  onLogLine: ((line: string) => void) | undefined
  /** They begin to start without waiting for it. */
  settings: Promise<ProgramSettings & { settings: Settings }>
  /** is told of every part that was started */
  watch: (part: Part) => void
}

export function createPrograms(options: ProgramOptions): { api: Switch; worker: Switch } {
  return options.processes === 'one' ? programsHere(options) : programsApart(options)
}

function programsHere({ settings, limits, drainMs, metricsPorts, watch }: ProgramOptions) {
  const modules = import('./here.ts')
  modules.catch(() => {}) // whoever starts them hears of it
  const startApi = async (): Promise<Part> => {
    const { startApiHere } = await modules
    return await startApiHere({ ...(await settings), limits, drainMs })
  }
  const startWorker = async (metricsPort: number): Promise<Part> => {
    const { startWorkerHere } = await modules
    return await startWorkerHere({ ...(await settings), metricsPort, drainMs })
  }
  return {
    api: createSwitch(watch, [startApi]),
    worker: createSwitch(
      watch,
      metricsPorts.map((port) => () => startWorker(port)),
    ),
  }
}

function programsApart({ settings, env, onLogLine, apiUrl, metricsPorts, watch }: ProgramOptions) {
  const apart = { env, settings: settings.then((known) => known.settings), onLine: onLogLine }
  apart.settings.catch(() => {}) // each process that waits for them hears of it
  return {
    api: createSwitch(watch, [() => startApiProcess(apart, apiUrl)]),
    worker: createSwitch(
      watch,
      metricsPorts.map((port) => () => startWorkerProcess(apart, port)),
    ),
  }
}
