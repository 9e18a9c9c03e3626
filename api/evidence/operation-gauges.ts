/** Figures that operators need at once, as Prometheus gauges. ops/alerts.yml depends on their names. */
import { Gauge } from 'prom-client'
import type { ApiContext } from '../../context.ts'
import { readOperationFigures } from '../../db/evidence/operation.ts'
import { listOutages } from '../../db/operation/outside-parties.ts'
import { outsideParties } from '../../policy/outside-parties.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { secondsWaited } from '../../temporal/task-queue.ts'

/** Several scrapers, and the gauges of one scrape, share a reading. */
const freshForMs = 5_000
const answerWithinMs = 2_000

/** Registers the gauges of GET /metrics that are read from the database, at each scrape. */
export function registerOperationGauges(api: ApiContext): void {
  const { metrics, sql, temporal, log, config } = api
  const registers = [metrics.registry]

  /** @returns a function that resolves to undefined for what cannot be read, which it counts and logs */
  function shared<Value>(
    reading: 'operation' | 'outages' | 'runs' | 'tasks',
    readNow: (now: Date) => Promise<Value>,
  ): () => Promise<Value | undefined> {
    return shareReading(freshForMs, (now) =>
      readNow(now).catch((error: unknown) => {
        metrics.failedReadings.inc({ reading })
        log.warn({ error, reading }, 'what operators have to know could not be read')
        return undefined
      }),
    )
  }

  const read = shared('operation', (now) => readOperationFigures(sql, now))

  new Gauge({
    name: 'ama_backup_age_seconds',
    help: 'Since the newest backup; since the first account when there is none',
    registers,
    async collect() {
      this.set((await read())?.backupAgeSeconds ?? Number.NaN)
    },
  })
  new Gauge({
    name: 'ama_reconciliation_age_seconds',
    help: 'Since the newest complete reconciliation; since the first account when there is none',
    registers,
    async collect() {
      this.set((await read())?.reconciliationAgeSeconds ?? Number.NaN)
    },
  })
  new Gauge({
    name: 'ama_provider_balance_days_left',
    help: 'For how many days the prepaid balance at an eSIM provider lasts at the recent rate of spending',
    labelNames: ['provider'],
    registers,
    async collect() {
      this.reset()
      for (const { provider, daysLeft } of (await read())?.providerBalances ?? []) {
        this.set({ provider }, daysLeft ?? Number.POSITIVE_INFINITY)
      }
    },
  })
  const tasks = { labelNames: ['kind'], registers }
  new Gauge({
    name: 'ama_operator_tasks_open',
    help: 'Open operator tasks, by kind',
    ...tasks,
    async collect() {
      this.reset()
      for (const { kind, open } of (await read())?.tasks ?? []) this.set({ kind }, open)
    },
  })
  new Gauge({
    name: 'ama_operator_task_oldest_seconds',
    help: 'Age of the oldest open operator task, by kind',
    ...tasks,
    async collect() {
      this.reset()
      for (const { kind, oldestSeconds } of (await read())?.tasks ?? []) this.set({ kind }, oldestSeconds)
    },
  })
  new Gauge({
    name: 'ama_operator_task_due_seconds',
    help: 'Until the earliest due date of an open operator task, by kind; negative once it has passed',
    ...tasks,
    async collect() {
      this.reset()
      for (const { kind, dueInSeconds } of (await read())?.tasks ?? [])
        if (dueInSeconds !== null) this.set({ kind }, dueInSeconds)
    },
  })
  new Gauge({
    name: 'ama_orders_waiting_for_esims',
    help: 'Paid orders without their eSIMs',
    registers,
    async collect() {
      this.set((await read())?.waitingOrders.open ?? Number.NaN)
    },
  })
  new Gauge({
    name: 'ama_orders_waiting_oldest_seconds',
    help: 'Since the payment, or the approval, of the order that has been waiting longest for its eSIMs',
    registers,
    async collect() {
      this.set((await read())?.waitingOrders.oldestSeconds ?? Number.NaN)
    },
  })
  new Gauge({
    name: 'ama_event_delivery_lag_seconds',
    help: 'Since the oldest event that an enabled webhook endpoint has not got',
    registers,
    async collect() {
      this.set((await read())?.events.lagSeconds ?? Number.NaN)
    },
  })
  new Gauge({
    name: 'ama_webhook_endpoints_failed',
    help: 'Webhook endpoints that were disabled because they took nothing for three days, or answered 410',
    registers,
    async collect() {
      this.set((await read())?.events.failedEndpoints ?? Number.NaN)
    },
  })
  const readOutages = shared('outages', async (now) => ({ outages: await listOutages(sql), now }))
  const parties = Object.keys(outsideParties)
  new Gauge({
    name: 'ama_outage_seconds',
    help: 'Since the first failed call to an outside party that is down; 0 while it is not',
    labelNames: ['party'],
    registers,
    async collect() {
      const found = await readOutages()
      for (const party of parties) {
        const since = found?.outages.find((outage) => outage.party === party)?.since
        this.set({ party }, found ? (since ? (found.now.getTime() - since.getTime()) / 1000 : 0) : Number.NaN)
      }
    },
  })
  new Gauge({
    name: 'ama_outage_orders_waiting',
    help: 'Orders that cannot go on without an outside party that is down',
    labelNames: ['party'],
    registers,
    async collect() {
      const found = await readOutages()
      for (const party of parties) {
        const outage = found?.outages.find((each) => each.party === party)
        this.set({ party }, found ? (outage?.ordersWaiting ?? 0) : Number.NaN)
      }
    },
  })
  const wedged = shared('runs', async () => {
    const query = "ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL"
    return (await temporal.withDeadline(Date.now() + answerWithinMs, () => temporal.workflow.count(query))).count
  })
  new Gauge({
    name: 'ama_wedged_runs',
    help: 'Runs whose workflow task fails again and again, as Temporal reports them; NaN while it does not answer',
    registers,
    async collect() {
      this.set((await wedged()) ?? Number.NaN)
    },
  })
  const waited = shared('tasks', () => secondsWaited(temporal, config.TEMPORAL_TASK_QUEUE, answerWithinMs))
  new Gauge({
    name: 'ama_task_waiting_oldest_seconds',
    help: 'How long the oldest task has been waiting for a worker of its build, as Temporal sees it; NaN while it does not answer',
    labelNames: ['task'],
    registers,
    async collect() {
      const found = await waited()
      for (const task of ['workflow', 'activity'] as const) this.set({ task }, found?.[task] ?? Number.NaN)
    },
  })
}
