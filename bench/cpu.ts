/** Who of the processes on the machine took how much processor time: what throughput on one machine comes down to. */
import { readdir, readFile } from 'node:fs/promises'

/** Milliseconds by the name of a part; `others` is what the rest of the machine did meanwhile. */
export type CpuTime = Record<string, number>

/** Linux counts in ticks of 10 ms: proc(5), sysconf(_SC_CLK_TCK). */
const tickMs = 10

const names: [RegExp, string][] = [
  [/worker\/main\.ts/, 'worker'],
  [/api\/main\.ts/, 'API'],
  [/simulators-main\.ts/, 'simulators'],
  [/floor\/worker\.ts/, 'floor worker'],
  [/cli\/start\.ts/, 'start'],
  [/start-dev/, 'Temporal'],
  [/postgres/, 'PostgreSQL'],
]

/** Processor time so far of this process and its descendants, and of all others. Empty where there is no /proc. */
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

/** What was spent between two looks, for each of `count` jobs. */
export function cpuPerJob(before: CpuTime, after: CpuTime, count: number): CpuTime {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, (ms - (before[name] ?? 0)) / count]))
}

export function addUp(a: CpuTime, b: CpuTime): CpuTime {
  const parts = new Set([...Object.keys(a), ...Object.keys(b)])
  return Object.fromEntries([...parts].map((part) => [part, (a[part] ?? 0) + (b[part] ?? 0)]))
}

/** Without what others did. */
export const cpuOfOurs = (time: CpuTime): number =>
  Object.entries(time).reduce((sum, [name, ms]) => (name === 'others' ? sum : sum + ms), 0)

/** The machine's processors together, since it was started. */
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
