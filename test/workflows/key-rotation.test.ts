import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { findAccount } from '../../db/accounts.ts'
import { countWrapped } from '../../db/encryption-keys.ts'
import { listEsims } from '../../db/esims.ts'
import { findOrder } from '../../db/orders.ts'
import { startStack } from '../../dev/stack.ts'
import { fastForward } from '../../time-skipping.ts'
import { keyRotationWorkflowId } from '../../workflows/key-rotation.contract.ts'
import { insertAccounts } from '../rig/bystanders.ts'
import { createCaller, expectStatus } from '../rig/http.ts'
import { signUp } from '../rig/people.ts'
import { buy } from '../rig/purchases.ts'
import { openStack } from '../rig/stack.ts'
import { until, untilValue } from '../rig/until.ts'

const key = () => randomBytes(32).toString('base64')
const field = { old: `field-old:${key()}`, new: `field-new:${key()}` }
const payload = { old: `payload-old:${key()}`, new: `payload-new:${key()}` }
/** First every process must know the new key; then it comes first. */
const before = { FIELD_KEYS: `${field.old},${field.new}`, PAYLOAD_KEYS: `${payload.old},${payload.new}` }
const after = { FIELD_KEYS: `${field.new},${field.old}`, PAYLOAD_KEYS: `${payload.new},${payload.old}` }

const rig = await openStack({ settings: before })
const { sql } = rig.context

/** A second API and worker beside the first, over the same database, Temporal and outside world. */
async function deployNewKeyring() {
  const { API_PORT: _port, ...shared } = rig.settings
  // A configured Temporal is described by the process's own environment.
  for (const [name, value] of Object.entries(shared)) if (name.startsWith('TEMPORAL_')) vi.stubEnv(name, value)
  const stack = await startStack({
    environment: shared,
    settings: { ...after, NODE_ENV: 'test' },
    drainMs: 2_000,
    onLogLine: (line) => rig.logLines.push(line),
  })
  // As a load balancer would do.
  await rig.sims.stripe.do('webhooks', { url: `${stack.urls.api}/v1/webhooks/stripe` })
  return { ...stack, sims: rig.sims }
}

const wrapped = async () => Object.fromEntries((await countWrapped(sql)).map(({ kekId, count }) => [kekId, count]))

test('S1: keys are rotated while people sign up and buy; every old row stays readable; the old key ends unused', async () => {
  const people = await insertAccounts(rig.context, 2_500)
  const buyer = await rig.signUp()
  const order = await rig.buy(buyer)
  expect(Object.keys(await wrapped())).toEqual(['field-old'])

  const fresh = await deployNewKeyring()
  const service = createCaller(fresh.urls.api, fresh.keys.service)
  const operator = createCaller(fresh.urls.api, fresh.keys.operator)
  try {
    let busy = true
    let delivered = 0
    // The old processes go on for a while and make data keys under the old key.
    const oldTraffic = Promise.all(Array.from({ length: 40 }, () => rig.signUp({ device: false })))
    const shopper = async (): Promise<void> => {
      while (busy) {
        await buy(fresh, service, await signUp(fresh, service))
        delivered += 1
      }
    }
    const newTraffic = Promise.all([shopper(), shopper(), shopper(), shopper()])
    const made = expectStatus(await operator.post('/v1/key-rotations', { purpose: 'field' }), 201)
    expect([made.toKey, made.status]).toEqual(['field-new', 'rewrapping'])
    expect((await operator.post('/v1/key-rotations', { purpose: 'field' })).status).toBe(409)
    const read = async () => expectStatus(await operator.get(`/v1/key-rotations/${made.id}`), 200)
    await untilValue('most keys are rewrapped', read, ({ rewrapped }) => rewrapped >= 2_500)

    await oldTraffic
    await rig.worker.stop()
    await rig.api.stop()
    await untilValue('the first pass is over', read, ({ status }) => status !== 'rewrapping')
    await until('retired', async () => {
      await fastForward(fresh.temporal, keyRotationWorkflowId(made.id), '1 minute')
      return (await read()).status === 'done'
    })

    busy = false
    await newTraffic
    expect(delivered).toBeGreaterThan(3)

    expect(Object.keys(await wrapped())).toEqual(['field-new'])
    const done = await read()
    expect([done.remaining, done.endedAt === null]).toEqual([0, false])
    const { items } = expectStatus(await operator.get('/v1/encryption-keys'), 200)
    const [old, now] = ['field-old', 'field-new'].map((id) => items.find((item: { id: string }) => item.id === id))
    expect([old.retiredAt === null, old.encrypts, old.dataKeys]).toEqual([false, false, 0])
    expect([now.retiredAt, now.encrypts]).toEqual([null, true])

    // Whoever has nothing but the new key reads everything.
    for (const { id, email } of [people[0], people[1_234], people.at(-1)].map(
      (person) => person ?? people[0],
    ) as typeof people) {
      expect((await findAccount(sql, fresh.context, id))?.email).toBe(email)
    }
    const row = await findOrder(sql, order.id)
    const [esim] = row ? await listEsims(fresh.context, row) : []
    expect(esim?.iccid).toBe(order.esims[0].iccid)
    expect((await findAccount(sql, fresh.context, buyer.accountId))?.email).toBe(buyer.email)

    await payloadKeys()

    async function payloadKeys(): Promise<void> {
      // Began under the old payload key, and is open for as long as the eSIM lives.
      const runs = expectStatus(await operator.post('/v1/key-rotations', { purpose: 'payload' }), 201)
      const rotation = async () => expectStatus(await operator.get(`/v1/key-rotations/${runs.id}`), 200)
      const waiting = await untilValue('counted', rotation, ({ remaining }) => remaining !== null)
      expect([waiting.status, waiting.remaining > 0]).toEqual(['waiting_for_runs', true])
      const listed = expectStatus(await operator.get(`/v1/key-rotations/${runs.id}/runs`), 200)
      expect(listed.items.map((run: { workflowId: string }) => run.workflowId)).toContain(`order-${order.id}`)
      expect(listed.items.every((run: { keyIds: string[] }) => String(run.keyIds) === 'payload-old')).toBe(true)
      // Their histories are read and carried on by processes that encrypt under the new key.
      expect((await service.post(`/v1/orders/${order.id}/resend`)).status).toBe(200)
      for (const { workflowId } of listed.items) await fresh.temporal.workflow.getHandle(workflowId).terminate('test')
      await until('retired', async () => {
        await fastForward(fresh.temporal, keyRotationWorkflowId(runs.id), '1 day')
        return (await rotation()).status === 'done'
      })
    }
  } finally {
    await fresh.stop()
    await Promise.all([rig.api.stop(), rig.worker.stop()])
    await Promise.all([rig.api.start(), rig.worker.start()])
  }
}, 120_000)

test('rotating keys is an operator’s business', async () => {
  const person = await rig.signUp({ device: false })
  for (const caller of [person.caller, rig.service]) {
    expect((await caller.post('/v1/key-rotations', { purpose: 'field' })).status).toBe(403)
    expect((await caller.get(`/v1/key-rotations/${randomUUID()}`)).status).toBe(403)
    expect((await caller.get('/v1/encryption-keys')).status).toBe(403)
  }
})
