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

test('what goes in comes out, and nothing of it can be read in between', async () => {
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

test('every key of the ring decrypts, the first encrypts, and a payload names its key', async () => {
  const old = keyring('old')
  const both = { activeId: 'new', keys: new Map([...keyring('new').keys, ...old.keys]) }
  const [before] = await createPayloadCodec(old).encode([payloadOf('kept')])
  const codec = createPayloadCodec(both)
  const [after] = await codec.encode([payloadOf('fresh')])
  expect(bytesOf(after).includes('new')).toBe(true)
  expect((await codec.decode([before, after] as Payload[])).map(plainOf)).toEqual(['kept', 'fresh'])
})

test('payloads from before there were keys pass', async () => {
  const codec = createPayloadCodec(keyring('a'))
  expect((await codec.decode([payloadOf({ plain: true })])).map(plainOf)).toEqual([{ plain: true }])
})

test('a payload of a lost key becomes a marker, beside others that decode', async () => {
  const gone = createPayloadCodec(keyring('gone'))
  const codec = createPayloadCodec(keyring('a'))
  const [lost] = await gone.encode([payloadOf('secret')])
  const [kept] = await codec.encode([payloadOf('kept')])
  expect((await codec.decode([lost, kept] as Payload[])).map(plainOf)).toEqual([erasedMarker, 'kept'])
})

test('a payload that was tampered with, or whose key was swapped, is marked and never an error', async () => {
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
  expect((await swapped.decode([encoded, cut] as Payload[])).map(plainOf)).toEqual([unreadableMarker, unreadableMarker])
})

test('messages and stacks of failures are encrypted, and come back', async () => {
  const converter = loadDataConverter(createDataConverter(keyring('a')))
  const failure = await encodeErrorToFailure(converter, ApplicationFailure.nonRetryable('message canary', 'Refused'))
  expect(JSON.stringify(failure)).not.toContain('canary')
  expect(failure.message).toBe('Encoded failure')
  const error = await decodeOptionalFailureToOptionalError(converter, failure)
  expect(error?.message).toBe('message canary')
})

test('on a real server: a run whose key is lost does not stand in the way of listing the others', async () => {
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

test('without keys nothing is converted', () => {
  expect(createDataConverter(undefined)).toEqual({})
})

test('a keyring without its active key is refused at once', () => {
  expect(() => createPayloadCodec({ activeId: 'b', keys: new Map() })).toThrow('no payload key b')
})
