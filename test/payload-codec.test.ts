import { randomBytes } from 'node:crypto'
import { Client, Connection } from '@temporalio/client'
import { ApplicationFailure, defaultPayloadConverter, type Payload } from '@temporalio/common'
import {
  decodeOptionalFailureToOptionalError,
  encodeErrorToFailure,
  loadDataConverter,
} from '@temporalio/common/lib/internal-non-workflow/index.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startTemporal } from '../dev/temporal/temporal.ts'
import { createDataConverter, createPayloadCodec, erasedMarker, unreadableMarker } from '../temporal/payload-codec.ts'
import { until } from './harness/until.ts'

const keyring = (...ids: string[]) => ({
  activeId: ids[0] ?? '',
  keys: new Map(ids.map((id) => [id, randomBytes(32)])),
})
const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)
const plainOf = (payload: Payload | undefined): unknown => payload && defaultPayloadConverter.fromPayload(payload)
const bytesOf = (payload: Payload | undefined): Buffer =>
  Buffer.concat([payload?.data ?? [], ...Object.values(payload?.metadata ?? {})].map((part) => Buffer.from(part ?? [])))

test('the payload codec decrypts what it encrypts, and encrypted payloads are unreadable', async () => {
  const codec = createPayloadCodec(keyring('a'))
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.string({ minLength: 8 }), async (value, canary) => {
      const payloads = [payloadOf(value), payloadOf({ canary }), payloadOf(undefined), payloadOf(randomBytes(9))]
      const encoded = await codec.encode(payloads)
      expect(bytesOf(encoded[1]).includes(Buffer.from(canary, 'utf8'))).toBe(false)
      const decoded = await codec.decode(encoded)
      expect(decoded.map(plainOf)).toEqual(payloads.map(plainOf))
    }),
    { numRuns: 50 },
  )
})

test('the payload codec encrypts with the first key, decrypts with all, and a payload names its key', async () => {
  const old = keyring('old')
  const both = { activeId: 'new', keys: new Map([...keyring('new').keys, ...old.keys]) }
  const before = await createPayloadCodec(old).encode([payloadOf('kept')])
  const codec = createPayloadCodec(both)
  const after = await codec.encode([payloadOf('fresh')])
  expect(bytesOf(after[0]).includes('new')).toBe(true)
  expect((await codec.decode([...before, ...after])).map(plainOf)).toEqual(['kept', 'fresh'])
})

test('the payload codec passes unencrypted payloads', async () => {
  const codec = createPayloadCodec(keyring('a'))
  expect((await codec.decode([payloadOf({ plain: true })])).map(plainOf)).toEqual([{ plain: true }])
})

test('the payload codec replaces a payload of a lost key by a marker, and decodes others', async () => {
  const gone = createPayloadCodec(keyring('gone'))
  const codec = createPayloadCodec(keyring('a'))
  const lost = await gone.encode([payloadOf('secret')])
  const kept = await codec.encode([payloadOf('kept')])
  expect((await codec.decode([...lost, ...kept])).map(plainOf)).toEqual([erasedMarker, 'kept'])
})

test('the payload codec replaces a changed payload, or one with a wrong key id, by a marker without an error', async () => {
  const codec = createPayloadCodec(keyring('a'))
  const [encoded] = await codec.encode([payloadOf('x')])
  const bytes = Buffer.from(encoded?.data ?? [])
  for (let index = 0; index < bytes.length; index++) {
    const data = Buffer.from(bytes)
    data.writeUInt8(data.readUInt8(index) ^ 1, index)
    const [decoded] = await codec.decode([{ metadata: encoded?.metadata ?? {}, data }])
    expect(plainOf(decoded)).toBe(unreadableMarker)
  }
  const swapped = createPayloadCodec(keyring('a'))
  const cut = { metadata: encoded?.metadata ?? {}, data: bytes.subarray(0, 5) }
  expect((await swapped.decode([encoded ?? {}, cut])).map(plainOf)).toEqual([unreadableMarker, unreadableMarker])
})

test('messages and stacks of failures are encrypted and decrypted', async () => {
  const converter = loadDataConverter(createDataConverter(keyring('a')))
  const failure = await encodeErrorToFailure(converter, ApplicationFailure.nonRetryable('message canary', 'Refused'))
  expect(JSON.stringify(failure)).not.toContain('canary')
  expect(failure.message).toBe('Encoded failure')
  const error = await decodeOptionalFailureToOptionalError(converter, failure)
  expect(error?.message).toBe('message canary')
})

test('a run whose payload key is lost can be listed with others on a real server', async () => {
  const server = await startTemporal({ namespace: 'default' })
  const connection = await Connection.connect({ address: server.address })
  try {
    const clientOf = (id: string) => new Client({ connection, dataConverter: createDataConverter(keyring(id)) })
    const [lost, kept] = [clientOf('lost'), clientOf('kept')]
    const canary = 'canary-of-this-run'
    const start = { taskQueue: 'nobody-listens', args: [canary], memo: { canary }, staticSummary: canary }
    const handle = await lost.workflow.start('any', { ...start, workflowId: 'lost' })
    await kept.workflow.start('any', { ...start, workflowId: 'kept' })
    const listed = await until('both are listed', async () => {
      const memos = new Map<string, unknown>()
      for await (const run of kept.workflow.list()) memos.set(run.workflowId, run.memo)
      return memos.size === 2 && memos
    })
    expect(listed.get('kept')).toEqual({ canary })
    expect(listed.get('lost')).toEqual({ canary: erasedMarker })
    const { history, description } = { history: await handle.fetchHistory(), description: await handle.describe() }
    expect(await description.staticSummary()).toBe(canary)
    const { input } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {}
    expect(bytesOf(input?.payloads?.[0]).includes(canary)).toBe(false)
  } finally {
    await connection.close()
    await server.stop()
  }
}, 300_000)

test('the data converter without keys has no codec', () => {
  expect(createDataConverter(undefined).payloadCodecs).toBeUndefined()
})

test('a keyring without its active key is refused', () => {
  expect(() => createPayloadCodec({ activeId: 'b', keys: new Map() })).toThrow('no payload key b')
})
