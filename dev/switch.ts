import type { Part } from './part.ts'

/** Starts and stops all instances of one kind of part. */
export interface Switch {
  start(): Promise<void>
  /** Stops like SIGTERM: open work is finished. */
  stop(): Promise<void>
  /** Kills like SIGKILL; only for parts that are processes. */
  kill(): Promise<void>
  restart(): Promise<void>
  /**
   * Makes the sources as they are now ready for the next start, while the parts still work. @throws if they do not
   * build
   */
  prepare(): Promise<void>
  /** ids of the parts that are processes */
  pids(): number[]
}

/** Starts one instance. */
export interface Starter {
  start(): Promise<Part>
}

/**
 * @param watch receives every started part
 * @param prepare makes the sources ready; by default each start loads them as they are
 */
export function createSwitch(
  watch: (part: Part) => void,
  starters: Starter[],
  prepare: () => Promise<void> = async () => {},
): Switch {
  let running: Part[] = []
  const end = async (how: 'stop' | 'kill'): Promise<void> => {
    const ending = running
    running = []
    const ends = await Promise.allSettled(ending.map((part) => part[how]()))
    for (const result of ends) if (result.status === 'rejected') throw result.reason
  }
  const start = async (): Promise<void> => {
    if (running.length > 0) throw new Error(`${running[0]?.name} runs already`)
    const starts = await Promise.allSettled(starters.map((one) => one.start()))
    running = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    for (const result of starts) if (result.status === 'rejected') throw result.reason
    for (const part of running) watch(part)
  }
  const stop = (): Promise<void> => end('stop')
  return {
    start,
    stop,
    kill: () => end('kill'),
    async restart() {
      await stop()
      await start()
    },
    prepare,
    pids: () => running.flatMap(({ pid }) => (pid === undefined ? [] : [pid])),
  }
}
