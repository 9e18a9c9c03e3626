/** The parts of the worker's processor time of an order, beside that of the baseline's worker. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { untilCatalogued } from '../catalogued.ts'
import { type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { startFloor } from '../floor/start.ts'
import { runRound } from '../measure.ts'
import { onStack, type Say } from '../on-stack.ts'
import { type Purposes, readProfiles } from '../profile/profile.ts'
import { openShop } from '../shop.ts'

export interface ProfileFigures {
  orders: number
  /** milliseconds of samples for one run, by thread and purpose: wall-clock time in which the thread was not idle */
  order: Purposes
  floor: Purposes
  cpu: { order: CpuTime; floor: CpuTime }
}

const concurrency = 20
/** Longer than the profiles' interval of writing. */
const settleMs = 2_500
const preload = fileURLToPath(new URL('../profile/preload.mjs', import.meta.url))

export async function benchProfile({ orders, say }: { orders: number; say: Say }): Promise<ProfileFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'ama-esim-profile-'))
  const { NODE_OPTIONS: before } = process.env
  process.env.NODE_OPTIONS = `${before ?? ''} --import ${preload}`
  process.env.BENCH_PROFILE_FOLDER = folder
  try {
    return await onStack(say, async (stack) => {
      await untilCatalogued(stack)
      const shop = await openShop(stack)
      const floor = await startFloor(stack)
      try {
        say('warming up')
        await shop.prepare(2 * orders)
        const jobs = {
          worker: async () => void (await shop.deliver()),
          floor: () => floor.deliver(`floor-${randomUUID()}`),
        }
        for (const job of Object.values(jobs)) await runRound(orders, concurrency, job)
        const measure = async (program: keyof typeof jobs): Promise<{ purposes: Purposes; cpu: CpuTime }> => {
          await pause(settleMs)
          const [from, cpuBefore] = [Date.now(), await cpuTime()]
          await runRound(orders, concurrency, jobs[program])
          const cpu = cpuPerJob(cpuBefore, await cpuTime(), orders)
          await pause(settleMs)
          const found = await readProfiles(folder, program, from, Date.now())
          return {
            purposes: Object.fromEntries(Object.entries(found).map(([name, ms]) => [name, ms / orders])),
            cpu,
          }
        }
        const ours = await measure('worker')
        const bare = await measure('floor')
        return { orders, order: ours.purposes, floor: bare.purposes, cpu: { order: ours.cpu, floor: bare.cpu } }
      } finally {
        shop.close()
        await floor.stop()
      }
    })
  } finally {
    if (before === undefined) delete process.env.NODE_OPTIONS
    else process.env.NODE_OPTIONS = before
    delete process.env.BENCH_PROFILE_FOLDER
    await rm(folder, { recursive: true, force: true })
  }
}
