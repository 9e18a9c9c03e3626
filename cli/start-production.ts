/** API and worker as two processes. When one ends, the other is stopped; both drain on SIGTERM. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readConfig, startOrExit } from '../config.ts'
import { stopAsked } from '../shared/shutdown.ts'

await startOrExit(() => readConfig(process.env))

const root = fileURLToPath(new URL('../', import.meta.url))
const start = (entry: string): ChildProcess =>
  spawn(process.execPath, ['cli/run.mjs', entry], { cwd: root, stdio: 'inherit' })
const children = [start('api/main.ts'), start('worker/main.ts')]
let ending = false
const endAll = (): void => {
  // A second signal would end the drain that the first one began.
  if (!ending) for (const child of children) child.kill('SIGTERM')
  ending = true
}
void stopAsked(process.env).then(endAll)

const ends = children.map((child) => once(child, 'exit'))
await Promise.race(ends)
endAll()
const codes = (await Promise.all(ends)).map(([code]) => Number(code ?? 1))
process.exitCode = Math.max(...codes)
