/** Scenarios of key rotations. */
import { randomBytes, randomUUID } from 'node:crypto'
import { Client } from '@temporalio/client'
import { createDataKeys } from '../../db/crypto/data-keys.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import type { Settings } from '../../dev/stack-settings.ts'
import { createDataConverter } from '../../temporal/payload-codec.ts'
import { backupType } from '../../workflows/backup/backup.contract.ts'
import { type KeyPurpose, keyRotationType, keyRotationWorkflowId } from '../../workflows/keys/key-rotation.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { expectStatus } from '../harness/http.ts'
import type { Product } from '../harness/product.ts'
import { until } from '../harness/until.ts'
import { runSteps, type Scenario } from './scenario.ts'

const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`

/** The stack of these scenarios: every process encrypts under the new keys and has the old ones. */
export const keyringSettings: Settings = {
  FIELD_KEYS: `${key('new')},${key('old')}`,
  PAYLOAD_KEYS: `${key('new')},${key('old')}`,
}

export const keyRotations: Record<string, Scenario> = {
  'key-rotation-done': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    await underOldKey(product)
    return untilClosed(await forward(await rotation(product, 'field'), '2 hours'))
  },
  'key-rotation-that-found-old-keys-again': async (product) => {
    const { forward, untilClosed, untilIt } = runSteps(product)
    const workflowId = await untilIt(await rotation(product, 'field'), 'waiting_for_processes')
    await underOldKey(product)
    return untilClosed(await forward(workflowId, '2 hours'))
  },
  'key-rotation-after-the-next-backup': async (product) => {
    const { start, forward, untilClosed } = runSteps(product)
    const workflowId = await waitingForBackup(product)
    await untilClosed(await start(backupType))
    return untilClosed(await forward(workflowId, '2 hours'))
  },
  'key-rotation-of-payload-keys': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    const run = await startedUnderOldKey(product)
    const workflowId = await waitingForRuns(product)
    await run.terminate()
    return untilClosed(await forward(workflowId, '2 days'))
  },
  'key-rotation-never-recorded': async (product) => {
    const { start, forward, untilClosed } = runSteps(product)
    const input = { rotationId: randomUUID(), purpose: 'field', toKey: 'new' }
    return untilClosed(await forward(await start(keyRotationType, [input]), '5 minutes'))
  },
  'key-rotation-from-a-draft': async (product) => {
    const { forward, untilClosed } = runSteps(product)
    await underOldKey(product)
    return untilClosed(await forward(await rotation(product, 'field'), '2 hours'))
  },
  'key-rotation-of-a-draft-beside-another': async (product) => {
    const { start, untilClosed } = runSteps(product)
    await rotation(product, 'field')
    const rotationId = randomUUID()
    await product.context.sql`insert into key_rotations (id, purpose, to_key, status, started_at, started_by)
      values (${rotationId}, 'field', 'new', 'draft', now(), 'somebody')`
    return untilClosed(await start(keyRotationType, [{ rotationId, purpose: 'field', toKey: 'new', draft: true }]))
  },
  'key-rotation-carried-on': async (product) => {
    const { start, forward, untilClosed, untilIt } = runSteps(product)
    await underOldKey(product)
    const progress = { status: 'rewrapping', rewrapped: 100_000, remaining: null, page: 0, pages: 2 }
    const input = { rotationId: randomUUID(), purpose: 'field', toKey: 'new', progress }
    const workflowId = await untilIt(await start(keyRotationType, [input]), 'waiting_for_processes')
    await untilClosed(await start(backupType))
    return untilClosed(await forward(workflowId, '2 hours'))
  },
  'key-rotation-waits-for-processes': async (product) =>
    runSteps(product).untilIt(await rotation(product, 'field'), 'waiting_for_processes'),
  'key-rotation-waits-for-a-backup': waitingForBackup,
  'key-rotation-waits-for-runs': async (product) => {
    await startedUnderOldKey(product)
    return waitingForRuns(product)
  },
}

/** Ends the rotation of another scenario, because one runs at a time, and starts one. */
async function rotation({ operator, temporal, context }: Product, purpose: KeyPurpose): Promise<string> {
  for (const { id, endedAt } of expectStatus(await operator.get('/v1/key-rotations'), 200).items) {
    if (endedAt) continue
    await temporal.workflow.getHandle(keyRotationWorkflowId(id)).terminate('the scenario needs its place')
    await context.sql`update key_rotations set ended_at = now() where id = ${id}`
  }
  return keyRotationWorkflowId(expectStatus(await operator.post('/v1/key-rotations', { purpose }), 201).id)
}

/** A person with a data key under the old key. */
async function underOldKey({ context }: Product): Promise<void> {
  const cipher = createFieldCipher(
    { ...context.config.FIELD_KEYS, activeId: 'old' },
    Buffer.from(context.config.INDEX_KEY, 'base64'),
  )
  await insertAccounts({ ...context, cipher, dataKeys: createDataKeys(cipher) }, 1)
}

async function startedUnderOldKey({ temporal, config }: Product) {
  if (!config.PAYLOAD_KEYS) throw new Error('the stack has no payload keys')
  const dataConverter = createDataConverter({ ...config.PAYLOAD_KEYS, activeId: 'old' })
  const { connection, options } = temporal
  const process = new Client({ connection, namespace: options.namespace, dataConverter })
  return process.workflow.start('any', { workflowId: randomUUID(), taskQueue: 'nobody-listens', args: ['any'] })
}

async function waitingForBackup(product: Product): Promise<string> {
  const { start, forward, untilClosed, untilIt } = runSteps(product)
  await untilClosed(await start(backupType))
  const workflowId = await untilIt(await rotation(product, 'field'), 'waiting_for_processes')
  return untilIt(await forward(workflowId, '5 minutes'), 'waiting_for_backup')
}

/** Waits until the rotation has counted the runs. */
async function waitingForRuns(product: Product): Promise<string> {
  const workflowId = await rotation(product, 'payload')
  await until('counted', async () => {
    const rotations = expectStatus(await product.operator.get('/v1/key-rotations'), 200)
    return rotations.items[0].remaining
  })
  return workflowId
}
