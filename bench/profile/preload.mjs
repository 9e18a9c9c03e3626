/**
 * Samples the stacks of each thread of a worker process into files, for `--import` in NODE_OPTIONS. It is JavaScript,
 * since Temporal's worker threads load it without tsx.
 */
import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { isMainThread, threadId } from 'node:worker_threads'

const flushMs = 2_000
const samplingMicros = 500
const names = [
  [/floor\/worker\.ts/, 'floor'],
  [/worker\/main\.ts/, 'worker'],
]

const { BENCH_PROFILE_FOLDER: folder } = process.env
// A thread does not know the program of its process, but has a copy of its environment.
if (isMainThread) process.env.BENCH_PROFILED = names.find(([file]) => file.test(process.argv[1] ?? ''))?.[1] ?? ''
const { BENCH_PROFILED: program } = process.env
if (folder && program) {
  const session = new Session()
  session.connect()
  session.post('Profiler.enable')
  session.post('Profiler.setSamplingInterval', { interval: samplingMicros })
  session.post('Profiler.start')
  setInterval(() => {
    session.post('Profiler.stop', (_error, result) => {
      const name = `${program}.${isMainThread ? 'activities' : 'workflows'}.${threadId}.${Date.now()}.cpuprofile`
      if (result) writeFileSync(join(folder, name), JSON.stringify(result.profile))
    })
    session.post('Profiler.start')
  }, flushMs).unref()
}
