import type { Limits } from '../api/limits.ts'
import { createApi } from '../api/server.ts'
import type { Config } from '../config.ts'
import { createContext } from '../context.ts'
import type { Log } from '../log.ts'
import { connectTemporal } from '../temporal-client.ts'
import { type Part, startProcess, untilReady } from './part.ts'
import type { Settings } from './stack-settings.ts'

export interface HereOptions {
  config: Config
  /** where Temporal is, unless the process's own environment says so */
  temporalEnvironment: Settings | undefined
  log: Log
  /** after `stop`, milliseconds */
  drainMs: number
}

/** The API in this process. */
export async function startApiHere(options: HereOptions & { limits: Partial<Limits> }): Promise<Part> {
  const { config, temporalEnvironment, log, limits, drainMs } = options
  const context = createContext(config, { name: 'ama-esim-api', log })
  const temporal = connectTemporal(config, temporalEnvironment)
  const close = async (): Promise<void> => {
    await temporal.connection.close()
    await context.close()
  }
  const running = await createApi({ ...context, temporal }, { limits })
    .listen(config.API_PORT, config.API_HOST)
    .catch(async (error: unknown) => {
      await close()
      throw error
    })
  let stopped: () => void
  const exited = new Promise<undefined>((resolve) => {
    stopped = () => resolve(undefined)
  })
  return {
    name: 'the API',
    exited,
    async stop() {
      await running.stop({ drainMs })
      await close()
      stopped()
    },
    kill: cannotKill,
  }
}

export async function cannotKill(): Promise<never> {
  throw new Error("only a process of its own can be killed: start the stack with processes: 'apart'")
}

/** The API in a process of its own. */
export async function startApiProcess(
  env: Record<string, string | undefined>,
  url: string,
  onLine: ((line: string) => void) | undefined,
): Promise<Part> {
  const part = await startProcess({ name: 'the API', entry: 'api/main.ts', env, onLine, stopWithinMs: 25_000 })
  return await readyOrKilled(part, `${url}/readyz`)
}

export async function readyOrKilled(part: Part, url: string): Promise<Part> {
  try {
    await untilReady(part, url)
    return part
  } catch (error) {
    await part.kill()
    throw error
  }
}
