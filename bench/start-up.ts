import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../', import.meta.url))

/** Seconds from `npm start` to readiness, with everything installed and the data of an earlier start. */
export async function measureStart(times: number, say: (line: string) => void): Promise<number[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ama-esim-start-'))
  try {
    await startOnce(dataDir)
    const seconds: number[] = []
    for (let index = 0; index < times; index += 1) {
      seconds.push(await startOnce(dataDir))
      say(`npm start was ready after ${seconds.at(-1)?.toFixed(2)} s`)
    }
    return seconds
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function startOnce(dataDir: string): Promise<number> {
  const begun = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    env: { ...process.env, AMA_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
    // npm does not pass signals on: as on a terminal, the whole group gets them
    detached: true,
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (text: Buffer) => {
        if (/ready/i.test(text.toString())) resolve()
      })
      child.once('exit', (code) => reject(new Error(`npm start ended with code ${code} before it was ready`)))
    })
    return (performance.now() - begun) / 1000
  } finally {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
    await ended
  }
}
