import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child-process.ts'

/** One part of a stack: a service, a program or the simulators. */
export interface Part {
  name: string
  pid?: number | undefined
  /** Resolves to undefined when the part was stopped or killed, otherwise to the failure; never rejects. */
  exited: Promise<string | undefined>
  stop(): Promise<void>
  /** Ends the part like `kill -9`. */
  kill(): Promise<void>
}

export interface ProcessOptions {
  name: string
  /** a TypeScript file, relative to the project's root, or a JavaScript file */
  entry: string
  /** modules that run before it, relative to the project's root */
  preload?: string[]
  env: Record<string, string | undefined>
  /**
   * settings that are not known yet: the process starts, loads our modules (`.ts`), addresses of files and packages,
   * and waits for `env`
   */
  later?: { env: Promise<Record<string, string>>; warmUp: readonly string[] }
  onLine?: ((line: string) => void) | undefined
  onMessage?: (message: unknown) => void
  /** milliseconds until SIGKILL, longer than the process takes to drain */
  stopWithinMs: number
}

const root = fileURLToPath(new URL('../', import.meta.url))

/**
 * Starts one of our programs as a process that ends with this one.
 * @throws the rejection of `later.env`; the process is ended then
 */
export async function startProcess(options: ProcessOptions): Promise<Part & { send: Child['send'] }> {
  const { name, entry, preload = [], env, later, onLine, onMessage, stopWithinMs } = options
  later?.env.catch(() => {}) // Its rejection is handled after the start of the process.
  const preloaded = later ? [...preload, 'dev/late-settings.mjs'] : preload
  const first = [...(entry.endsWith('.ts') ? ['tsx'] : []), ...preloaded.map((file) => `./${file}`)]
  const imports = first.flatMap((module) => ['--import', module])
  const child = await startChild(process.execPath, [...imports, entry], {
    cwd: root,
    env: later ? { ...env, AMA_WARM_UP: later.warmUp.join('\n') } : env,
    ...(onLine && { onLine }),
    ...((onMessage ?? later) && { onMessage: onMessage ?? (() => {}) }),
  })
  if (later) {
    child.send(
      await later.env.catch(async (error: unknown) => {
        await child.stop('SIGKILL')
        throw error
      }),
    )
  }
  let expected = false
  let killed = false
  return {
    name,
    pid: child.pid,
    send: child.send,
    exited: child.exited.then(({ code, signal }) =>
      expected ? undefined : `${name} ended (${signal ?? `code ${code}`}):\n${child.output()}`,
    ),
    async stop() {
      expected = true
      if (killed) return
      const { code, signal } = await child.stop('SIGTERM', stopWithinMs)
      if (signal === 'SIGKILL') throw new Error(`${name} did not stop within ${stopWithinMs} ms:\n${child.output()}`)
      if (code !== 0) throw new Error(`${name} stopped with code ${code}:\n${child.output()}`)
    },
    async kill() {
      expected = true
      killed = true
      await child.stop('SIGKILL')
    },
  }
}

/**
 * Resolves when `url` answers 200.
 * @throws when the part ends, or after a minute
 */
export async function untilReady(part: Pick<Part, 'name' | 'exited'>, url: string): Promise<void> {
  const deadline = Date.now() + 60_000
  const gone = part.exited.then((why) => {
    throw new Error(why ?? `${part.name} was stopped while starting`)
  })
  gone.catch(() => {})
  for (;;) {
    if ((await statusOf(url)) === 200) return
    if (Date.now() > deadline) throw new Error(`${part.name} is not ready after a minute: ${url}`)
    await Promise.race([gone, delay(25)])
  }
}

/**
 * The status of an answer, or undefined without one. Without `fetch`, whose loading is a tenth of what `npm start`
 * itself takes.
 */
function statusOf(url: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(undefined))
  })
}
