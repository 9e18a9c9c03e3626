/** Starts programs as processes, reads their output, and finds processes that they leave behind. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Program {
  pid: number
  /** its standard output and error so far */
  output(): string
  /** Waits for an output. @throws when the program ends before it */
  untilWritten(pattern: RegExp): Promise<RegExpExecArray>
  kill(signal: NodeJS.Signals): void
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** Starts a program with this environment and PATH, by default in the project's folder. */
export function startProgram(command: string, args: string[], env: NodeJS.ProcessEnv = {}, folder = root): Program {
  const { PATH = '', HOME = '', TMPDIR } = process.env
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH, HOME, ...(TMPDIR !== undefined && { TMPDIR }), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let look = (): void => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      look()
    })
  }
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  return {
    pid: child.pid ?? 0,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    ended,
    async untilWritten(pattern) {
      return await new Promise((resolve, reject) => {
        look = () => {
          const found = pattern.exec(output)
          if (found) resolve(found)
        }
        look()
        void ended.then(({ code }) => reject(new Error(`ended with ${code} and without ${pattern}:\n${output}`)))
      })
    },
  }
}

/** All descendants of a process, with their commands as `ps` shows them. */
export async function descendants(pid: number): Promise<Map<number, string>> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const all = stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .flatMap((found) => (found ? [{ pid: Number(found[1]), parent: Number(found[2]), args: found[3] ?? '' }] : []))
  const found = new Map<number, string>()
  const visit = (parent: number): void => {
    for (const each of all) {
      if (each.parent !== parent || found.has(each.pid)) continue
      found.set(each.pid, each.args)
      visit(each.pid)
    }
  }
  visit(pid)
  return found
}

/** The processes that still run; a zombie does not. */
export async function survivors(processes: Map<number, string>): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,stat=,args='])
  return stdout.split('\n').filter((line) => {
    const [, pid, state, args] = /^\s*(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
    return state !== undefined && !state.startsWith('Z') && processes.get(Number(pid)) === args
  })
}
