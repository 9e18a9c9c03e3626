/** The processor time of each process, which limits the throughput on one machine. */
import { readdir, readFile } from 'node:fs/promises'

/** Milliseconds by the name of a part; `others` is the time of all other processes. */
export type CpuTime = Record<string, number>

/** Linux counts processor time in ticks of 10 ms: proc(5), sysconf(_SC_CLK_TCK). */
const tickMs = 10

const names: [RegExp, string][] = [
  // Of the sources, or built of them.
  [/worker\/main\.(ts|mjs)/, 'worker'],
  [/api\/main\.(ts|mjs)/, 'API'],
  [/simulators\/main\.(ts|mjs)/, 'simulators'],
  [/floor\/worker\.ts/, 'floor worker'],
  [/cli\/start\.mjs/, 'start'],
  [/start-dev|temporal-server start/, 'Temporal'],
  [/postgres/, 'PostgreSQL'],
]

/** The processor time of this process, its descendants, and all others. Empty on a system without /proc. */
export async function cpuTime(): Promise<CpuTime> {
  const machineMs = await busyMs()
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const processes = new Map((await Promise.all(pids.map(look))).flatMap((found) => (found ? [[found.pid, found]] : [])))
  const total: CpuTime = {}
  for (const found of processes.values()) {
    const name = nameOf(found.pid)
    if (name) total[name] = (total[name] ?? 0) + found.ms
  }
  const ours = Object.values(total).reduce((sum, ms) => sum + ms, 0)
  return machineMs === undefined ? total : { ...total, others: machineMs - ours }

  function nameOf(pid: number): string | undefined {
    if (pid === process.pid) return 'driver'
    const found = processes.get(pid)
    const above = found && found.parent > 1 ? nameOf(found.parent) : undefined
    return above && found && (names.find(([pattern]) => pattern.test(found.command))?.[1] ?? above)
  }
}

/** The processor time between two readings, divided by the number of jobs. */
export function cpuPerJob(before: CpuTime, after: CpuTime, count: number): CpuTime {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / count]))
}

export function addUp(a: CpuTime, b: CpuTime): CpuTime {
  const parts = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...parts].map((part) => [part, (a[part] ?? 0) + (b[part] ?? 0)]))
}

/** The sum without `others`. */
export const cpuOfOurs = (time: CpuTime): number =>
  Object.entries(time).reduce((sum, [name, ms]) => (name === 'others' ? sum : sum + ms), 0)

/** The time of all processors since the machine's start. */
async function busyMs(): Promise<number | undefined> {
  const [line] = (await readFile('/proc/stat', 'utf8').catch(() => '')).split('\n')
  if (!line?.startsWith('cpu ')) return undefined
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softirq + steal) * tickMs
}

async function look(pid: number): Promise<{ pid: number; parent: number; ms: number; command: string } | undefined> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ])
    // The second field is the program's name in brackets, which can contain any character.
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0)
    return { pid, parent: fields[1] ?? 0, ms: ticks * tickMs, command }
  } catch {
    // The process has ended since the listing.
    return undefined
  }
}
