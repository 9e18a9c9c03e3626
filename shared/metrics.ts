import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { outsideParties } from '../policy/outside-parties.ts'

/** The readings of an API process for operators: figures and outages from the database, runs, schedules and tasks from Temporal. */
const readings = ['operation', 'outages', 'runs', 'schedules', 'tasks'] as const

export type Metrics = ReturnType<typeof createMetrics>

/**
 * The metrics of one process. Modules add their own with `registers: [metrics.registry]`. Labels hold route templates,
 * states and codes, never ids.
 */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const outsideCalls = new Counter({
    name: 'ama_outside_calls_total',
    help: 'Calls to outside parties: answered, a refusal included, or failed: no connection, no answer in time, 5xx, 429',
    labelNames: ['party', 'outcome'],
    registers,
  })
  // `increase` of a series that begins with its first event is 0.
  for (const party of Object.keys(outsideParties)) {
    for (const outcome of ['answered', 'failed']) outsideCalls.inc({ party, outcome }, 0)
  }
  const failedReadings = new Counter({
    name: 'ama_failed_readings_total',
    help: 'Readings of what operators have to know that failed: its gauges are NaN or old meanwhile',
    labelNames: ['reading'],
    registers,
  })
  for (const reading of readings) failedReadings.inc({ reading }, 0)
  const eventDeliveries = new Counter({
    name: 'ama_event_deliveries_total',
    help: 'Attempts to send an event to an endpoint of the app backend',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of ['delivered', 'failed']) eventDeliveries.inc({ outcome }, 0)
  return {
    outsideCalls,
    failedReadings,
    eventDeliveries,
    registry,
    /** an alert fires when no process of a kind shows it any more */
    process: new Gauge({
      name: 'ama_process',
      help: '1: the process is an `api` or a `worker`',
      labelNames: ['process'],
      registers,
    }),
    httpRequestSeconds: new Histogram({
      name: 'ama_http_request_duration_seconds',
      help: 'From the request line to the end of the answer, by route template',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    authenticationFailures: new Counter({
      name: 'ama_authentication_failures_total',
      help: 'Refused credentials, by reason',
      labelNames: ['reason'],
      registers,
    }),
    providerMisconfigured: new Counter({
      name: 'ama_provider_misconfigured_total',
      help: 'Calls that an outside party refused for our balance, credentials or request, or with an unknown code: an operator has to act',
      labelNames: ['provider', 'code'],
      registers,
    }),
    unreadablePackages: new Gauge({
      name: 'ama_catalogue_unreadable_entries',
      help: 'Entries of the newest price list of an eSIM provider that could not be read and are not sold',
      labelNames: ['provider'],
      registers,
    }),
    rateLimited: new Counter({
      name: 'ama_rate_limited_total',
      help: 'Requests over the limit, by kind of caller',
      labelNames: ['caller'],
      registers,
    }),
  }
}
