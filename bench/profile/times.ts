import type { CpuTime } from '../cpu.ts'
import type { Purposes } from './profile.ts'

/**
 * Divides a processor time as the samples of a profile are divided. The results name the functions without a purpose.
 */
export function timesOf(samples: Purposes, cpuMs = Number.NaN): CpuTime {
  const all = Object.values(samples).reduce((sum, ms) => sum + ms, 0)
  const times: CpuTime = {}
  for (const [name, ms] of Object.entries(samples)) {
    const purpose = name.replace(/: others, .*/, ': others')
    times[purpose] = (times[purpose] ?? 0) + (ms / all) * cpuMs
  }
  return times
}
