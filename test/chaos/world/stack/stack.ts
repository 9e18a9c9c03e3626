/** The running stack of a world: real servers, each part a process, and a worker whose connections can be disturbed. */
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { builtPrograms } from '../../../../cli/programs/built.mjs'
import { databaseName, databaseUrl, withDatabase } from '../../../../db/backup/restore.ts'
import { claimPort } from '../../../../dev/port.ts'
import { fromBuilt, startWorkerProcess } from '../../../../dev/programs/separate-processes.ts'
import { scheduleIds } from '../../../../worker/schedules.ts'
import { expectStatus } from '../../../harness/http.ts'
import { startProgram } from '../../../harness/processes.ts'
import { pauseSchedule, startProduct } from '../../../harness/product.ts'
import { until } from '../../../harness/until.ts'
import { untilAnswered } from '../caller.ts'
import { type ApiLinkName, type Disturbance, type LinkName, noisyParties } from '../events.ts'
import { type Link, openLink } from './link.ts'
import { createWorkers, untilStarted } from './workers.ts'

/** The API opens after 20 minutes at the latest. */
const restoreWithinMs = 1_300_000

/** What the stack itself plays: the app backend is beside it. */
type OfStack = Exclude<Disturbance, { kind: 'endpoint' }>
type LosesDatabase = (backupFrom: number) => Promise<() => Promise<void>>

export type WorldStack = Awaited<ReturnType<typeof startWorldStack>>

import { startTemporalOnPostgres } from '../../../../dev/temporal/temporal-on-postgres.ts'
import { entriesOf } from '../../../../shared/keys-of.ts'

/** The setting that leads the worker to each link's far end. */
const settingOf: Record<LinkName, string> = {
  temporal: 'TEMPORAL_ADDRESS',
  database: 'DATABASE_URL',
  stripe: 'STRIPE_API_URL',
  esimAccess: 'ESIM_ACCESS_URL',
  airalo: 'AIRALO_URL',
  mail: 'SMTP_URL',
}

/** The same for the API. */
const apiSettingOf: Record<ApiLinkName, string> = {
  apiTemporal: 'TEMPORAL_ADDRESS',
  apiDatabase: 'DATABASE_URL',
  apiApple: 'APPLE_URL',
  apiGoogle: 'GOOGLE_CERTS_URL',
}

/** @param temporal where the server keeps its runs: in one SQLite file, or in PostgreSQL */
export async function startWorldStack({ temporal = 'sqlite' }: { temporal?: 'sqlite' | 'postgres' } = {}) {
  const ours = temporal === 'postgres' ? await startTemporalOnPostgres() : undefined
  // This process has a client as well.
  Object.assign(process.env, ours?.settings)
  // Every process can read with the next key before one writes with it.
  const fieldKeys = ['first', 'next'].map((name) => `${name}:${randomBytes(32).toString('base64')}`)
  // Loading the sources takes a process several seconds, and a world starts many.
  const built = await builtPrograms()
  const product = await startProduct({
    processes: 'apart',
    built,
    durable: true,
    workers: 0,
    // A build is drained within seconds: a shrinking plays a world in less than the minutes that Temporal waits.
    dynamicConfig: {
      'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '1s',
      'matching.wv.VersionDrainageStatusRefreshInterval': '1s',
    },
    // One operator does the work of many: above the sum each further refund would be refused.
    settings: { SECOND_OPERATOR_ABOVE_MINOR: '2000000000', FIELD_KEYS: fieldKeys.join() },
    ...(ours && { environment: ours.settings }),
  })
  const links = new Map<LinkName | ApiLinkName, Link>()
  const crashes: { from: number; until: number }[] = []
  /** why workers have ended by themselves, and which runs do not replay */
  const ended: string[] = []
  // Commands beside the stack reach everything directly.
  const direct = { ...product.settings }
  const settings = await linked(settingOf)
  // The API reads them at each start.
  Object.assign(product.settings, await linked(apiSettingOf))
  await product.api.restart()

  /** Settings that lead through links. */
  async function linked<Name extends LinkName | ApiLinkName>(table: Record<Name, string>) {
    const changed = { ...direct }
    for (const [name, setting] of entriesOf(table)) {
      const value = direct[setting] ?? ''
      const isAddress = !value.includes('://')
      const url = new URL(isAddress ? `tcp://${value}` : value)
      const link = await openLink(url.hostname, Number(url.port))
      links.set(name, link)
      changed[setting] = value.replace(`${url.hostname}:${url.port}`, `127.0.0.1:${link.port}`)
    }
    return changed
  }

  const builtWorker = await fromBuilt(built, 'worker')
  const workers = createWorkers({
    async launch(buildId) {
      const its = { ...settings, ...(buildId !== undefined && { WORKER_BUILD_ID: buildId }) }
      const onLine = (line: string) => void product.logLines.push(line)
      const options = { env: process.env, settings: Promise.resolve(its), onLine, ...builtWorker }
      return await startWorkerProcess(options, await claimPort(0))
    },
    deployment: {
      client: product.temporal,
      deploymentName: product.config.WORKER_DEPLOYMENT,
      taskQueue: product.config.TEMPORAL_TASK_QUEUE,
    },
    settings: direct,
    onFault: (why) => void ended.push(why),
    onCrash: (from) => void crashes.push({ from, until: Date.now() }),
  })
  await workers.start()
  await Promise.all(scheduleIds.map((id) => pauseSchedule(product, id)))

  /** Ends a part for a while. Resolves when it works again. */
  async function kill(part: 'worker' | 'api' | 'database' | 'temporal', ms: number): Promise<void> {
    const { api, database } = product
    const temporalServer = ours ?? product.temporalServer
    const parts = {
      worker: { kill: workers.kill, start: workers.startAgain },
      api: { kill: () => api.kill(), start: () => api.start() },
      database: { kill: () => database.crash(), start: () => database.start() },
      temporal: { kill: () => temporalServer.crash(), start: () => temporalServer.start() },
    }
    await parts[part].kill()
    await pause(ms)
    await untilStarted(part, parts[part].start)
  }

  /** All processes encrypt with the next key from now on. */
  async function encryptWithNext(): Promise<void> {
    for (const each of [settings, product.settings, direct]) each.FIELD_KEYS = fieldKeys.toReversed().join()
    await workers.replace()
    await product.api.stop()
    await untilStarted('api', () => product.api.start())
  }

  async function freeze(part: 'worker' | 'api', ms: number): Promise<void> {
    const pids = part === 'api' ? product.api.pids() : workers.pids()
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    await pause(ms)
    for (const pid of pids) process.kill(pid, 'SIGCONT')
  }

  /** Loses the database some time after a backup, and restores it as docs/restore.md says. */
  async function restore(ms: number, losesDatabase: LosesDatabase): Promise<void> {
    const { operator, api, config } = product
    const backupFrom = Date.now()
    const known = new Set((await listBackups()).map(({ id }) => id))
    expectStatus(await untilAnswered(operator, 'POST', '/v1/backups'), 202)
    const made = await until(
      'the backup is there',
      async () => (await listBackups()).find(({ id, state }) => state === 'kept' && !known.has(id)),
      { timeoutMs: 600_000 },
    )
    await pause(ms)
    const isRestored = await losesDatabase(backupFrom)
    await Promise.all([workers.kill(), api.kill()])
    const name = databaseName(config.DATABASE_URL)
    await withDatabase(
      databaseUrl(config.DATABASE_URL, 'postgres'),
      (sql) => sql`drop database ${sql(name)} with (force)`,
    )
    // The latest may be one of an earlier world on this stack, whose last backup was made a month ahead.
    const args = ['--import', 'tsx', 'cli/restore.ts', made.id, config.DATABASE_URL]
    const program = startProgram(process.execPath, args, direct)
    const { code } = await program.ended
    if (code !== 0) throw new Error(`the restore ended with ${code}: ${program.output()}`)
    // Nobody withdraws a consent meanwhile: such acts wait (gate.ts).
    const confirming = ['--import', 'tsx', 'cli/restore.ts', 'confirm-promotions']
    const confirmed = await startProgram(process.execPath, confirming, direct).ended
    if (confirmed.code !== 0) throw new Error(`the consents were not confirmed: ${confirmed.code}`)
    // The API is ready once the worker has settled what could not be rebuilt.
    await workers.startAgain()
    await untilStarted('api', () => api.start())
    await until('the API serves', async () => (await product.service.get('/v1/packages?limit=1')).status === 200, {
      timeoutMs: restoreWithinMs,
    })
    await isRestored()
  }

  async function listBackups(): Promise<{ id: string; state: string }[]> {
    return expectStatus(await untilAnswered(product.operator, 'GET', '/v1/backups'), 200).items
  }

  async function disturb(disturbance: OfStack, losesDatabase: LosesDatabase): Promise<void> {
    const { sims } = product
    switch (disturbance.kind) {
      case 'faults':
        for (const fault of disturbance.faults) await sims[disturbance.party].fault(fault)
        return
      case 'new_sign_in_key': {
        const party = sims[disturbance.party]
        await party.do('rotate-keys')
        for (const fault of disturbance.faults) await party.fault(fault)
        return
      }
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
      case 'deploy':
        return await workers.replace()
      case 'release':
        return await workers.release()
      case 'next_key':
        return await encryptWithNext()
      case 'restore':
        return await restore(disturbance.ms, losesDatabase)
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
    ended,
    /** connections of the worker and of the API */
    links,
    /**
     * Disturbs one part. @param losesDatabase called before a restore; it returns what is called after it. Resolves
     * when the part works again; faults at parties wait for their calls.
     */
    async disturb(disturbance: OfStack, losesDatabase: LosesDatabase): Promise<void> {
      const crash = { from: Date.now(), until: Number.POSITIVE_INFINITY }
      if (['kill', 'freeze', 'cut', 'restore'].includes(disturbance.kind)) crashes.push(crash)
      await disturb(disturbance, losesDatabase)
      // Interrupted work is repeated later than the part is back.
      crash.until = Date.now()
    },
    /** Ends all faults at parties that nobody has met yet, and the workers of builds that have no run any more. */
    async calm(): Promise<void> {
      const { sims } = product
      await Promise.all([
        ...Object.values(sims).map((simulator) => simulator.clearFaults()),
        ...noisyParties.map((name) => sims[name].do('webhooks', { drop: 0, copies: 1 })),
        sims.mailbox.do('clear-rules'),
        workers.retire(),
      ])
    },
    failingRuns: workers.failingRuns,
    async stop(): Promise<void> {
      await workers.stop()
      for (const link of links.values()) await link.stop()
      await product.stack.stop()
      await ours?.stop()
    },
  }
}
