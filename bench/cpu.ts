/** Who of the processes on the machine took how much processor time: what throughput on one machine comes down to. */
import { readdir, readFile } from 'node:fs/promises'

/** Milliseconds by the name of a part. */
export type CpuTime = Record<string, number>

/** Linux counts in ticks of 10 ms: proc(5), sysconf(_SC_CLK_TCK). */
const tickMs = 10

const names: [RegExp, string][] = [
  [/worker\/main\.ts/, 'worker'],
  [/api\/main\.ts/, 'API'],
  [/simulators-main\.ts/, 'simulators'],
  [/floor\/worker\.ts/, 'floor worker'],
  [/start-dev/, 'Temporal'],
  [/postgres/, 'PostgreSQL'],
]

/** Processor time of this process and its descendants so far. Empty where there is no /proc. */
export async function cpuTime(): Promise<CpuTime> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const processes = new Map((await Promise.all(pids.map(look))).flatMap((found) => (found ? [[found.pid, found]] : [])))
  const total: CpuTime = {}
  for (const found of processes.values()) {
    const name = nameOf(found.pid)
    if (name) total[name] = (total[name] ?? 0) + found.ms
  }
  return total

  function nameOf(pid: number): string | undefined {
    if (pid === process.pid) return 'driver'
    const found = processes.get(pid)
    if (!found || found.parent <= 1) return undefined
    const above = nameOf(found.parent)
    if (above !== 'driver') return above
    return names.find(([pattern]) => pattern.test(found.command))?.[1] ?? 'driver'
  }
}

async function look(pid: number): Promise<{ pid: number; parent: number; ms: number; command: string } | undefined> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ])
    // The second field is the program's name in brackets and may hold anything.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    return { pid, parent: fields[1] ?? 0, ms: ticks * tickMs, command }
  } catch {
    // It ended meanwhile.
    return undefined
  }
}

/** What was spent between two looks, for each of `count` jobs. */
export function cpuPerJob(before: CpuTime, after: CpuTime, count: number): CpuTime {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / count]))
}
