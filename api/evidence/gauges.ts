/** The evidence as Prometheus gauges. ops/alerts.yml depends on their names. */
import { Gauge } from 'prom-client'
import type { Metrics } from '../../shared/metrics.ts'
import type { EvidenceReader } from './evidence.ts'

/** Registers gauges that read the evidence at each scrape, which is at most 15 seconds old. */
export function registerEvidenceGauges({ registry }: Metrics, evidence: EvidenceReader): void {
  const registers = [registry]
  const statuses = ['kept', 'broken', 'unknown'] as const
  new Gauge({
    name: 'ama_promise_status',
    help: '1 for the status a promise has, 0 for the others',
    labelNames: ['promise', 'status'],
    registers,
    async collect() {
      for (const { id, status } of (await evidence.latest()).promises) {
        for (const each of statuses) this.set({ promise: id, status: each }, each === status ? 1 : 0)
      }
    },
  })
  new Gauge({
    name: 'ama_evidence_figure',
    help: 'What was read; NaN for what could not be',
    labelNames: ['figure'],
    registers,
    async collect() {
      for (const { figures } of (await evidence.latest()).promises) {
        for (const { name, value } of figures) this.set({ figure: name }, value ?? Number.NaN)
      }
    },
  })
  new Gauge({
    name: 'ama_evidence_read_timestamp_seconds',
    help: 'When the figures were read',
    registers,
    async collect() {
      this.set((await evidence.latest()).readAt.getTime() / 1000)
    },
  })
}
