import { randomBytes, randomUUID } from 'node:crypto'
import type { Payload } from '@temporalio/common'
import { afterAll, expect, test, vi } from 'vitest'
import { findAccount } from '../../db/accounts.ts'
import type { Accounts } from '../../db/connection/schema.ts'
import { createDataKeys } from '../../db/crypto/data-keys.ts'
import { countWrapped } from '../../db/crypto/encryption-keys.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import { listEsims } from '../../db/order/esims.ts'
import { findOrder } from '../../db/order/orders.ts'
import { startStack } from '../../dev/stack.ts'
import {
  createPayloadCodec,
  erasedMarker,
  keyIdOf,
  type PayloadKeyring,
  unreadableMarker,
} from '../../temporal/payload-codec.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { keyRotationWorkflowId } from '../../workflows/keys/key-rotation.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { openHarness } from '../harness/harness.ts'
import { type Caller, createCaller, expectStatus } from '../harness/http.ts'
import { signUp } from '../harness/people.ts'
import { buy } from '../harness/purchases.ts'
import { fetchHistories } from '../harness/temporal/histories.ts'
import { until, untilValue } from '../harness/until.ts'

const key = () => randomBytes(32).toString('base64')
const field = { old: `field-old:${key()}`, new: `field-new:${key()}` }
const payload = { old: `payload-old:${key()}`, new: `payload-new:${key()}` }
/** Rollout of a key: first every process can decrypt with it, then they encrypt with it. */
const before = { FIELD_KEYS: `${field.old},${field.new}`, PAYLOAD_KEYS: `${payload.old},${payload.new}` }
const after = { FIELD_KEYS: `${field.new},${field.old}`, PAYLOAD_KEYS: `${payload.new},${payload.old}` }

// Stripe has orders of erased persons that our books no longer have.
const harness = await openHarness({ settings: before, books: false })
const { sql } = harness.context

// A stub would outlive this file: programs that later files start would look for a server that is gone.
afterAll(() => {
  vi.unstubAllEnvs()
})

/** A second API and worker with the same infrastructure. */
async function deployNewKeyring() {
  const { API_PORT: _port, ...shared } = harness.settings
  // The client reads the Temporal settings from the environment of the process.
  for (const [name, value] of Object.entries(shared)) if (name.startsWith('TEMPORAL_')) vi.stubEnv(name, value)
  const stack = await startStack({
    environment: shared,
    settings: { ...after, NODE_ENV: 'test' },
    drainMs: 2_000,
    onLogLine: (line) => harness.logLines.push(line),
  })
  // The webhooks come to this stack's API, as a load balancer would send them.
  await harness.sims.stripe.do('webhooks', { url: `${stack.urls.api}/v1/webhooks/stripe` })
  return { ...stack, sims: harness.sims }
}

type Fresh = Awaited<ReturnType<typeof deployNewKeyring>>

const wrapped = async () => Object.fromEntries((await countWrapped(sql)).map(({ kekId, count }) => [kekId, count]))

/** Readers with one key only and no cache. */
function holderOf(id: string) {
  const key = harness.config.FIELD_KEYS.keys.get(id)
  if (!key) throw new Error(`no key ${id}`)
  const keyring = { activeId: id, keys: new Map([[id, key]]) }
  const cipher = createFieldCipher(keyring, Buffer.from(harness.config.INDEX_KEY, 'base64'))
  return { cipher, dataKeys: createDataKeys(cipher) }
}

/** Every payload of every run, decoded with this keyring. */
async function readHistories({ temporal }: Fresh, keyring: PayloadKeyring) {
  const payloads = (await fetchHistories(temporal)).flatMap(({ history }) => payloadsIn(history))
  const keyIds = new Set(payloads.map((payload) => keyIdOf(payload)))
  const decoded = await createPayloadCodec(keyring).decode(payloads)
  const texts = decoded.map(({ data }) => Buffer.from(data ?? []).toString('utf8'))
  const isLost = (text: string) => [erasedMarker, unreadableMarker].some((marker) => text === JSON.stringify(marker))
  return { keyIds, lost: texts.filter(isLost).length, read: texts.filter((text) => !isLost(text)).length }
}

function payloadsIn(value: unknown): Payload[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  if (keyIdOf(value) !== undefined) return [value]
  return Object.values(value).flatMap(payloadsIn)
}

test('S1: keys are rotated while people sign up, buy and leave; all rows stay readable, and nothing needs the old key at the end', async () => {
  const people = await insertAccounts(harness.context, 2_500)
  const buyer = await harness.signUp()
  const order = await harness.buy(buyer)
  expect(Object.keys(await wrapped())).toEqual(['field-old'])

  const fresh = await deployNewKeyring()
  const service = createCaller(fresh.urls.api, fresh.keys.service)
  const operator = createCaller(fresh.urls.api, fresh.keys.operator)
  try {
    let busy = true
    const bought: string[] = []
    const left: string[] = []
    const leave = async (caller: Caller, accountId: string): Promise<void> => {
      expectStatus(await caller.delete(`/v1/accounts/${accountId}`), 200)
      left.push(accountId)
    }
    // The old processes still make data keys under the old key.
    const oldTraffic = Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const { accountId } = await harness.signUp({ device: false })
        if (index % 2 === 0) await leave(harness.service, accountId)
      }),
    )
    const shopper = async (): Promise<void> => {
      while (busy) {
        const person = await signUp(fresh, service)
        const { id } = await buy(fresh, service, person)
        if (bought.length > left.length - 20) await leave(service, person.accountId)
        else bought.push(id)
      }
    }
    const newTraffic = Promise.all([shopper(), shopper(), shopper(), shopper()])
    // Old accounts are also erased during the rotation.
    const leaving = Promise.all(people.slice(0, 25).map(({ id }) => leave(service, id)))
    const made = expectStatus(await operator.post('/v1/key-rotations', { purpose: 'field' }), 201)
    expect([made.toKey, made.status]).toEqual(['field-new', 'rewrapping'])
    expect((await operator.post('/v1/key-rotations', { purpose: 'field' })).status).toBe(409)
    const read = async () => expectStatus(await operator.get(`/v1/key-rotations/${made.id}`), 200)
    await untilValue('some keys are rewrapped', read, ({ rewrapped }) => rewrapped > 0)
    // The next worker continues the rotation where it was.
    await fresh.worker.stop()
    await fresh.worker.start()
    await untilValue('most keys are rewrapped', read, ({ rewrapped }) => rewrapped >= 2_400)

    await Promise.all([oldTraffic, leaving])
    await harness.worker.stop()
    await harness.api.stop()
    await untilValue('the first pass is over', read, ({ status }) => status !== 'rewrapping')
    await until('retired', async () => {
      await fastForward(fresh.temporal, keyRotationWorkflowId(made.id), '1 minute')
      return (await read()).status === 'done'
    })

    busy = false
    await newTraffic
    expect([bought.length, left.length].every((count) => count > 3)).toBe(true)

    expect(Object.keys(await wrapped())).toEqual(['field-new'])
    const done = await read()
    expect([done.remaining, done.endedAt === null]).toEqual([0, false])
    const { items } = expectStatus(await operator.get('/v1/encryption-keys'), 200)
    const [old, now] = ['field-old', 'field-new'].map((id) => items.find((item: { id: string }) => item.id === id))
    expect([old.retiredAt === null, old.encrypts, old.dataKeys]).toEqual([false, false, 0])
    expect(old.removableFrom).toBe(old.retiredAt)
    expect([now.retiredAt, now.removableFrom, now.encrypts]).toEqual([null, null, true])

    await rows()
    await payloadKeys()

    async function rows(): Promise<void> {
      const encryption = holderOf('field-new')
      const stay = await sql<Pick<Accounts, 'id'>[]>`select id from accounts`
      const seen = await Promise.all(stay.map(async ({ id }) => [id, (await findAccount(sql, encryption, id))?.email]))
      const emails = new Map(seen.map(([id, email]) => [id ?? '', email]))
      for (const { id, email } of people.slice(25)) expect(emails.get(id)).toBe(email)
      expect(emails.get(buyer.accountId)).toBe(buyer.email)
      expect([...emails.values()].every((email) => email?.includes('@'))).toBe(true)
      expect(left.filter((id) => emails.has(id))).toEqual([])
      for (const id of [order.id, ...bought]) {
        const row = await findOrder(sql, id)
        const [esim] = row ? await listEsims({ ...harness.context, ...encryption }, row) : []
        expect(esim?.iccid, id).toMatch(/^\d{18,}/)
        if (id === order.id) expect(esim?.iccid).toBe(order.esims[0].iccid)
      }
      await expect(findAccount(sql, holderOf('field-old'), buyer.accountId)).rejects.toThrow('field-new')
    }

    async function payloadKeys(): Promise<void> {
      // This run began under the old payload key and is open until the eSIM expires.
      const runs = expectStatus(await operator.post('/v1/key-rotations', { purpose: 'payload' }), 201)
      const rotation = async () => expectStatus(await operator.get(`/v1/key-rotations/${runs.id}`), 200)
      const waiting = await untilValue('counted', rotation, ({ remaining }) => remaining !== null)
      expect([waiting.status, waiting.remaining > 0]).toEqual(['waiting_for_runs', true])
      const listed = expectStatus(await operator.get(`/v1/key-rotations/${runs.id}/runs`), 200)
      expect(listed.items.map((run: { workflowId: string }) => run.workflowId)).toContain(`order-${order.id}`)
      expect(listed.items.every((run: { keyIds: string[] }) => String(run.keyIds) === 'payload-old')).toBe(true)
      // Processes that encrypt under the new key continue these runs.
      expect((await service.post(`/v1/orders/${order.id}/resend`)).status).toBe(200)
      const keyring = fresh.config.PAYLOAD_KEYS
      const key = keyring?.keys.get('payload-new')
      if (!keyring || !key) throw new Error('no payload keys')
      const { keyIds, lost, read } = await readHistories(fresh, keyring)
      expect([[...keyIds].sort(), lost, read > 100]).toEqual([['payload-new', 'payload-old'], 0, true])
      // The API lists the runs that still need the old key.
      expect(
        (await readHistories(fresh, { activeId: 'payload-new', keys: new Map([['payload-new', key]]) })).lost,
      ).toBeGreaterThan(0)
      for (const { workflowId } of listed.items) await fresh.temporal.workflow.getHandle(workflowId).terminate('test')
      await until('retired', async () => {
        await fastForward(fresh.temporal, keyRotationWorkflowId(runs.id), '1 day')
        return (await rotation()).status === 'done'
      })
      // Closed runs are read in the Web UI for as long as Temporal keeps them.
      const { items } = expectStatus(await operator.get('/v1/encryption-keys'), 200)
      const retired = items.find((item: { id: string }) => item.id === 'payload-old')
      expect(Date.parse(retired.removableFrom) - Date.parse(retired.retiredAt)).toBe(7 * 24 * 60 * 60 * 1000)
    }
  } finally {
    await fresh.stop()
    await Promise.all([harness.api.stop(), harness.worker.stop()])
    await Promise.all([harness.api.start(), harness.worker.start()])
  }
}, 180_000)

test('only operators can rotate keys', async () => {
  const person = await harness.signUp({ device: false })
  for (const caller of [person.caller, harness.service]) {
    expect((await caller.post('/v1/key-rotations', { purpose: 'field' })).status).toBe(403)
    expect((await caller.get(`/v1/key-rotations/${randomUUID()}`)).status).toBe(403)
    expect((await caller.get('/v1/encryption-keys')).status).toBe(403)
  }
})
