/** The running stack of a world: real servers, each part a process, and a worker whose connections can be disturbed. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Part } from '../../../dev/part.ts'
import { claimPort } from '../../../dev/port.ts'
import { startWorkerProcess } from '../../../dev/programs/apart.ts'
import { scheduleIds } from '../../../worker/schedules.ts'
import { type Product, startProduct } from '../../harness/product.ts'
import { until } from '../../harness/until.ts'
import type { Disturbance, LinkName } from './events.ts'
import { type Link, openLink } from './link.ts'

export type WorldStack = Awaited<ReturnType<typeof startWorldStack>>

/** The setting that leads the worker to each link's far end. */
const settingOf: Record<LinkName, string> = {
  temporal: 'TEMPORAL_ADDRESS',
  database: 'DATABASE_URL',
  stripe: 'STRIPE_API_URL',
  esimAccess: 'ESIM_ACCESS_URL',
  airalo: 'AIRALO_URL',
  mail: 'SMTP_URL',
}

export async function startWorldStack() {
  const product = await startProduct({ processes: 'apart', durable: true, workers: 0 })
  const links = new Map<LinkName, Link>()
  const crashes: { from: number; until: number }[] = []
  const settings = { ...product.settings }
  for (const [name, setting] of Object.entries(settingOf) as [LinkName, string][]) {
    const value = settings[setting] ?? ''
    const isAddress = !value.includes('://')
    const url = new URL(isAddress ? `tcp://${value}` : value)
    const link = await openLink(url.hostname, Number(url.port))
    links.set(name, link)
    settings[setting] = value.replace(`${url.hostname}:${url.port}`, `127.0.0.1:${link.port}`)
  }
  let worker = await startWorker()
  await Promise.all(scheduleIds.map((id) => pauseSchedule(product, id)))

  async function startWorker(): Promise<Part> {
    const onLine = (line: string) => void product.logLines.push(line)
    return await startWorkerProcess(
      { env: process.env, settings: Promise.resolve(settings), onLine },
      await claimPort(0),
    )
  }

  /** Ends a part for a while. Resolves when it works again. */
  async function kill(part: 'worker' | 'api' | 'database' | 'temporal', ms: number): Promise<void> {
    const { api, database, temporalServer } = product
    const parts = {
      worker: {
        kill: () => worker.kill(),
        start: async () => {
          worker = await startWorker()
        },
      },
      api: { kill: () => api.kill(), start: () => api.start() },
      database: { kill: () => database.crash(), start: () => database.start() },
      temporal: { kill: () => temporalServer.crash(), start: () => temporalServer.start() },
    }
    await parts[part].kill()
    await pause(ms)
    await parts[part].start()
  }

  async function freeze(part: 'worker' | 'api', ms: number): Promise<void> {
    const pids = part === 'api' ? product.api.pids() : worker.pid === undefined ? [] : [worker.pid]
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await pause(ms)
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }

  async function disturb(disturbance: Disturbance): Promise<void> {
    const { sims } = product
    switch (disturbance.kind) {
      case 'faults':
        for (const fault of disturbance.faults) await sims[disturbance.party].fault(fault)
        return
      case 'mail_faults':
        for (const rule of disturbance.rules) await sims.mailbox.do('rule', { ...rule })
        return
      case 'webhooks': {
        const { party, drop, copies } = disturbance
        await sims[party].do('webhooks', { drop, copies })
        return
      }
      case 'kill':
        return await kill(disturbance.part, disturbance.ms)
      case 'freeze':
        return await freeze(disturbance.part, disturbance.ms)
      case 'cut':
      case 'slow': {
        const link = links.get(disturbance.link)
        if (disturbance.kind === 'cut') link?.cut()
        else link?.slow(200)
        await pause(disturbance.ms)
        link?.mend()
      }
    }
  }

  return {
    ...product,
    product,
    crashes,
    /** Disturbs one part. Resolves when the part works again; faults at parties wait for their calls. */
    async disturb(disturbance: Disturbance): Promise<void> {
      const crash = { from: Date.now(), until: Number.POSITIVE_INFINITY }
      if (['kill', 'freeze', 'cut'].includes(disturbance.kind)) crashes.push(crash)
      await disturb(disturbance)
      // What was interrupted is repeated later than the part is back.
      crash.until = Date.now()
    },
    /** Ends all faults at parties that nobody has met yet. */
    async calm(): Promise<void> {
      const { sims } = product
      const { stripe, esimAccess, airalo } = sims
      await Promise.all([
        ...Object.values(sims).map((simulator) => simulator.clearFaults()),
        ...[stripe, esimAccess, airalo].map((simulator) => simulator.do('webhooks', { drop: 0, copies: 1 })),
        sims.mailbox.do('clear-rules'),
      ])
    },
    async stop(): Promise<void> {
      await worker.stop()
      for (const link of links.values()) await link.stop()
      await product.stack.stop()
    },
  }
}

async function pauseSchedule({ temporal }: Product, id: string): Promise<void> {
  await until(`${id} is paused`, async () => {
    await temporal.schedule.getHandle(id).pause()
    return true
  })
}
