/**
 * The app backend: endpoints of the API whose receivers keep what they get, and fail as the plan says. No oracle asks it
 * for more than what has arrived.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Duration } from '@temporalio/common'
import { eventRetriesWorkflowId } from '../../../workflows/events/event-retries.contract.ts'
import { type Answering, startReceiver } from '../../events/receiver.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Delivered, Endpoint, Event } from '../oracles/record.ts'
import { Stuck, untilAnswered } from './caller.ts'
import type { Disturbance, EndpointName, EndpointTrouble } from './events.ts'
import type { WorldStack } from './stack/stack.ts'

const path = '/v1/webhook-endpoints'
const drainedWithinMs = 300_000
const lookEveryMs = 500
const slowMs = 2_000

/** null: all of them */
const typesOf: Record<EndpointName, string[] | null> = {
  all: null,
  some: ['order.delivered', 'order.refunded', 'account.deleted', 'service.restored'],
}

const taken: Answering = () => 204

/** How a receiver answers while it is in trouble. */
const answers: Record<EndpointTrouble, Answering> = {
  down: () => 'cut',
  failing: () => 500,
  slow: () => pause(slowMs, 204),
  silent: () => 'hang',
  busy: () => [429, { 'retry-after': '1800' }],
  gone: () => 410,
  disabled: taken,
  new_secret: taken,
}

type Forward = (workflowId: string, duration: Duration) => Promise<unknown>

export async function openAppBackend({ service }: WorldStack, forward: Forward) {
  const startedAt = new Date().toISOString()
  const endpoints = await Promise.all([open('all'), open('some')])

  async function open(name: EndpointName) {
    const receiver = await startReceiver()
    // What comes before its secret is known is sent again.
    receiver.answer(() => 503)
    const types = typesOf[name]
    const made = expectStatus(await untilAnswered(service, 'POST', path, { url: receiver.url, types }), 201)
    const said: Endpoint = { name, types, from: Date.now() }
    receiver.secrets.push(made.secret)
    receiver.answer(taken)
    const id: string = made.id
    return { id, path: `${path}/${id}`, said, receiver }
  }

  type Open = (typeof endpoints)[number]

  const change = async (endpoint: Open, state: 'enabled' | 'disabled'): Promise<unknown> =>
    expectStatus(await untilAnswered(service, 'PATCH', endpoint.path, { state }), 200)

  const read = async (endpoint: Open): Promise<{ state: string; waiting: number; nextAttemptAt: string | null }> =>
    expectStatus(await untilAnswered(service, 'GET', endpoint.path), 200)

  /** The app backend works again, and has an endpoint enabled that was given up. */
  async function mend(endpoint: Open): Promise<void> {
    endpoint.receiver.answer(taken)
    if ((await read(endpoint)).state === 'disabled') await change(endpoint, 'enabled')
  }

  /** Lets an hour pass for what waits, until nothing does and all these events have arrived. */
  async function drain(endpoint: Open, events: readonly Event[]): Promise<void> {
    const { said, receiver } = endpoint
    const deadline = Date.now() + drainedWithinMs
    const wanted = events.filter(
      ({ at, type, isLost }) => !isLost && at > said.from && (said.types?.includes(type) ?? true),
    )
    for (;;) {
      const arrived = new Set(receiver.received.map(({ id }) => id))
      const { waiting, nextAttemptAt } = await read(endpoint)
      const isEmpty = waiting === 0 && nextAttemptAt === null
      if (isEmpty && wanted.every(({ id }) => arrived.has(id))) return
      if (Date.now() > deadline) {
        if (isEmpty) return
        throw new Stuck(`${waiting} events wait for the endpoint ${said.name}, the next one until ${nextAttemptAt}`)
      }
      if (!isEmpty) await forward(eventRetriesWorkflowId(endpoint.id), '1 hour')
      await pause(lookEveryMs)
    }
  }

  return {
    said: endpoints.map(({ said }) => said),

    /** Lets a receiver fail for a while. Its retries wait for an hour meanwhile if it is down. */
    async disturb({ endpoint: name, trouble, ms }: Extract<Disturbance, { kind: 'endpoint' }>): Promise<void> {
      const endpoint = endpoints.find(({ said }) => said.name === name)
      if (!endpoint) return
      endpoint.receiver.answer(answers[trouble])
      if (trouble === 'disabled') await change(endpoint, 'disabled')
      if (trouble === 'new_secret') {
        // There is one rotation a day: another one is refused.
        const { status, body } = await untilAnswered(service, 'POST', `${endpoint.path}/rotate-secret`)
        if (status === 200) endpoint.receiver.secrets.push(body.secret)
      }
      await pause(ms)
      if (trouble === 'down') await forward(eventRetriesWorkflowId(endpoint.id), '1 hour')
      await mend(endpoint)
      if (trouble !== 'disabled') return
      const replayed = await untilAnswered(service, 'POST', `${endpoint.path}/replay`, { since: startedAt })
      expectStatus(replayed, 202)
    },

    /** Waits until each endpoint has what waits for it. @param events those that have to have arrived */
    async settle(events: readonly Event[] = []): Promise<void> {
      await Promise.all(endpoints.map(mend))
      await Promise.all(endpoints.map((endpoint) => drain(endpoint, events)))
    },

    /** What has arrived so far. */
    deliveries: (): Delivered[] =>
      endpoints.flatMap(({ said, receiver }) =>
        receiver.received.map(({ id, type, data, signedBy, at }) => ({
          endpoint: said.name,
          id,
          type,
          at,
          orderId: data.orderId ?? null,
          accountId: data.accountId ?? null,
          isSigned: signedBy.length > 0,
        })),
      ),

    async stop(): Promise<void> {
      for (const endpoint of endpoints) {
        await untilAnswered(service, 'DELETE', endpoint.path)
        await endpoint.receiver.stop()
      }
    },
  }
}
