import { type ChildProcess, type Serializable, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Exit = { code: number | null; signal: NodeJS.Signals | null }

export type Child = {
  pid: number | undefined
  /** Resolves when the process is gone, for whatever reason; never rejects. */
  exited: Promise<Exit>
  /** The last lines the process printed, for error messages. */
  output(): string
  /** To a process started with `onMessage`. */
  send(message: Serializable): void
  /** Sends `signal`, then SIGKILL if the process is still there after `graceMs`. Resolves when it is gone. */
  stop(signal?: NodeJS.Signals, graceMs?: number): Promise<Exit>
}

export type ChildOptions = {
  cwd?: string
  env?: NodeJS.ProcessEnv
  uid?: number
  gid?: number
  /** What to send when this process dies without having stopped the child; SIGTERM unless given. */
  orphanSignal?: NodeJS.Signals
  /** Folder to remove if this process dies without having stopped the child. */
  orphanFolder?: string
  /** Receives what the process prints, line by line. */
  onLine?: (line: string) => void
  /** Receives what a Node process sends; it may be sent to, then, as well. */
  onMessage?: (message: Serializable) => void
}

const keptLines = 40

/**
 * Starts a long-running process that cannot outlive this one, even if this one is killed with SIGKILL.
 *
 * It gets a session of its own, so that Ctrl-C in a terminal reaches only us and we stop things in order.
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
    // One that is gone cannot be told anything; `exited` says so.
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
 * A shell that blocks on a pipe from this process. The kernel closes the pipe however this process ends, and only then
 * does the shell read on and kill the orphan.
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
  guard.on('error', () => {}) // no shell, no guard: the exit hook still covers every orderly end
  guard.unref()
  return guard
}
