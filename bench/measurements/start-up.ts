import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { addUp, type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { round } from '../measure.ts'
import type { Say } from '../on-stack.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Start {
  /** from `npm start` to readiness */
  seconds: number
  /** of these, the time after npm */
  stackSeconds: number
}

export interface StartFigures {
  starts: Start[]
  /** processor time of one start, milliseconds */
  cpu: CpuTime
}

/** Measures starts with installed packages and the data of an earlier start, on free ports. */
export async function benchStart({ times, say }: { times: number; say: Say }): Promise<StartFigures> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ama-esim-start-'))
  try {
    await startOnce(dataDir)
    const starts: Start[] = []
    let cpu: CpuTime = {}
    for (let index = 0; index < times; index += 1) {
      const { start, spent } = await startOnce(dataDir)
      starts.push(start)
      cpu = addUp(cpu, cpuPerJob({}, spent, times))
      say(`npm start was ready after ${round(start.seconds, 2)} s, ${round(start.stackSeconds, 2)} s of it the stack's`)
    }
    return { starts, cpu }
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function startOnce(dataDir: string): Promise<{ start: Start; spent: CpuTime }> {
  const before = await cpuTime()
  const begun = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    env: { ...process.env, AMA_DATA_DIR: dataDir, AMA_PORTS: 'free', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    // npm does not forward signals: the whole process group gets them, as on a terminal.
    detached: true,
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    const stackSeconds = await new Promise<number>((resolve, reject) => {
      let written = ''
      child.stdout.on('data', (text: Buffer) => {
        written += text.toString()
        const ready = /Ready in ([\d.]+) s/.exec(written)
        if (ready) resolve(Number(ready[1]))
      })
      child.once('exit', (code) =>
        reject(new Error(`npm start ended with code ${code} before it was ready:\n${written}`)),
      )
    })
    const seconds = (performance.now() - begun) / 1000
    return { start: { seconds, stackSeconds }, spent: cpuPerJob(before, await cpuTime(), 1) }
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
    await ended
  }
}
