/**
 * Pairs of faults at the app backend, of its network too: each event arrives, within the three days, and delays no
 * other endpoint.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { fastForward } from '../../temporal/time-skipping.ts'
import { eventRetriesWorkflowId } from '../../workflows/events/event-retries.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus, withId } from '../harness/http.ts'
import { type NetworkFault, openNetwork } from '../harness/outside-network.ts'
import { until } from '../harness/until.ts'
import { pairs } from '../orders/faults/plant-pairs.ts'
import { startReceiver } from './receiver.ts'

const harness = await shareStack({ books: false })
const { service } = harness
const { sql } = harness.context
const network = await openNetwork()
const receiver = await startReceiver()
afterAll(async () => {
  await sql`delete from webhook_endpoints`
  await network.close()
  await receiver.stop()
})

const faults: NetworkFault[] = [
  { cut: 'after' },
  { cut: 'before' },
  { status: 503 },
  { status: 429, headers: { 'Retry-After': '31536000' } },
  { status: 404, body: {} },
  { status: 302, headers: { Location: 'https://elsewhere.example' } },
  { delayMs: 1_500 },
  'unknown name',
  'no name server',
  'slow name server',
  'refused',
  'cut handshake',
  'expired certificate',
]
const all = pairs(faults)

/** How often a receiver gets an event of which it has lost the answer, or none. */
const copies = (pair: readonly NetworkFault[]): number => {
  const ends = pair.map((fault) =>
    typeof fault === 'object' && fault.cut === 'after'
      ? 'lost'
      : fault === 'slow name server' || (typeof fault === 'object' && fault.delayMs)
        ? 'taken'
        : 'failed',
  )
  const last = ends.indexOf('taken')
  const tried = last === -1 ? ends : ends.slice(0, last)
  return tried.filter((end) => end === 'lost').length + 1
}

/** fewer than there can be */
const atOnce = 10
const parts = Array.from({ length: Math.ceil(all.length / atOnce) }, (_, part) =>
  [...all.entries()].slice(part * atOnce, (part + 1) * atOnce),
)

test.each(parts.map((part) => ({ part })))(
  'events with pairs of faults at their endpoint arrive, and nothing waits afterwards',
  {
    timeout: 240_000,
  },
  async ({ part }) => {
    await sql`delete from webhook_endpoints`
    const endpoints = await Promise.all(
      part.map(async ([number, pair]) => {
        const front = await network.open(`app-backend-${number}`, new URL(receiver.url).origin)
        const left: NetworkFault[] = [...pair]
        const types = ['policy.moved']
        const { id } = expectStatus(
          await service.post('/v1/webhook-endpoints', { url: `${front.url}/events/${number}`, types }),
          201,
          withId,
        )
        front.failBy(() => left.shift())
        return { id, pair, front, path: `/events/${number}` }
      }),
    )
    const [row] = await sql<{ id: string }[]>`
    insert into events (type, data) values ('policy.moved', ${sql.json({ version: randomUUID() })}) returning id`
    expect(row?.id).toBeDefined()
    for (const { id, pair, front, path } of endpoints) {
      const arrived = () => front.arrived.filter((request) => request === `POST ${path}`).length
      const state = async () => expectStatus(await service.get(`/v1/webhook-endpoints/${id}`), 200)
      const wanted = copies(pair)
      await until('it was tried', async () => arrived() >= wanted || (await state()).waiting > 0)
      for (let hours = 0; hours < 71 && (await state()).waiting > 0; hours += 3)
        // The run may have ended meanwhile.
        await fastForward(harness.temporal, eventRetriesWorkflowId(id), '3 hours').catch(() => undefined)
      await until('nothing waits', async () => (await state()).waiting === 0)
      expect([JSON.stringify(pair), arrived()]).toEqual([JSON.stringify(pair), wanted])
      expect(await state()).toMatchObject({ state: 'enabled' })
    }
    expect(
      await sql`select kind from attention where kind in ('event_not_taken', 'webhook_endpoint_disabled')`,
    ).toEqual([])
  },
)
