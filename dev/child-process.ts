import { type ChildProcess, type Serializable, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type Child = {
  pid: number | undefined
  /** Resolves when the process has ended for any reason; never rejects. */
  exited: Promise<Exit>
  /** The last lines of the process's output, for error messages. */
  output(): string
  /** Sends a message to a process that was started with `onMessage`. */
  send(message: Serializable): void
  /** Sends `signal`, and SIGKILL if the process still runs after `graceMs`. Resolves when it has ended. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<Exit>
}

export type ChildOptions = {
  cwd?: string
  env?: NodeJS.ProcessEnv
  uid?: number
  gid?: number
  /** the signal to the child when this process dies without stopping it; default SIGTERM */
  orphanSignal?: NodeJS.Signals
  /** the folder to remove when this process dies without stopping the child */
  orphanFolder?: string
  /** receives the process's output, line by line */
  onLine?: (line: string) => void
  /** receives the messages of a Node process; `send` works then too */
  onMessage?: (message: Serializable) => void
}

const keptLines = 40

/**
 * Starts a long-running process that ends with this one, even if this one is killed with SIGKILL.
 *
 * It has its own session, so that Ctrl-C in a terminal reaches only this process, which stops the others in order.
 * @throws if the executable cannot be started
 */
export async function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const { cwd, env, uid, gid, orphanSignal = 'SIGTERM', orphanFolder, onLine, onMessage } = options
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...(onMessage ? (['ipc'] as const) : [])],
    detached: process.platform !== 'win32',
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue
    createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }).on('line', (line) => {
      if (line.trim() === '') return
      lines.push(line)
      if (lines.length > keptLines) lines.shift()
      onLine?.(line)
    })
  }
  if (onMessage) child.on('message', onMessage)
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }))
  })
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  const guard = child.pid === undefined ? undefined : startGuard(child.pid, orphanSignal, orphanFolder)
  const killNow = () => child.kill('SIGKILL')
  const killOrphan = () => child.kill(orphanSignal)
  process.once('exit', killOrphan)
  void exited.then(() => {
    process.removeListener('exit', killOrphan)
    guard?.kill('SIGKILL')
  })

  return {
    pid: child.pid,
    exited,
    // A process that has ended gets no message; `exited` resolves for it.
    send: (message) => void child.send?.(message, () => {}),
    output: () => lines.join('\n'),
    async stop(signal = 'SIGTERM', graceMs = 10_000) {
      child.kill(signal)
      const hardKill = setTimeout(killNow, graceMs)
      const exit = await exited
      clearTimeout(hardKill)
      return exit
    },
  }
}

/**
 * Waits until a server that was started answers.
 * @param server.name begins the messages of the errors
 * @param ask throws while the server does not answer
 * @throws when its process ends, or when it does not answer in time
 */
export async function untilItAnswers(
  child: Child,
  { name, withinMs }: { name: string; withinMs: number },
  ask: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + withinMs
  const gone = child.exited.then(({ code, signal }) => {
    throw new Error(`${name} ended while starting (${signal ?? `code ${code}`}):\n${child.output()}`)
  })
  gone.catch(() => {})
  for (;;) {
    try {
      await Promise.race([gone, ask()])
      return
    } catch (cause) {
      if (Date.now() > deadline)
        throw new Error(`${name} did not come up in ${withinMs / 1000} s:\n${child.output()}`, { cause })
    }
    await Promise.race([gone, delay(20)])
  }
}

/**
 * Starts a shell that blocks on a pipe from this process. The kernel closes the pipe when this process ends in any way;
 * then the shell continues and kills the orphan.
 */
function startGuard(pid: number, signal: NodeJS.Signals, folder = ''): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const script = `
    cat >/dev/null
    kill -s "$2" "$1" 2>/dev/null
    for _ in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null || break; sleep 0.5; done
    kill -s KILL "$1" 2>/dev/null
    [ -z "$3" ] || rm -rf -- "$3"`
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(pid), signal.slice(3), folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.on('error', () => {}) // Without a shell there is no guard; the exit hook covers every orderly end.
  guard.unref()
  return guard
}
