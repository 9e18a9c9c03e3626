import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountsNamedIn } from '../../../db/access/named-accounts.ts'
import { countWrapped, type KnownKey, listKeys } from '../../../db/crypto/encryption-keys.ts'
import {
  findKeyRotation,
  insertKeyRotation,
  type KeyRotation,
  listKeyRotations,
} from '../../../db/crypto/key-rotations.ts'
import { isoOrNull, plusMs } from '../../../shared/calendar.ts'
import { closedRunsAreKeptMs, runsUnderOldKeys } from '../../../temporal/payload-keys.ts'
import { type KeyPurpose, keyRotationStart, opened } from '../../../workflows/keys/key-rotation.contract.ts'
import { entryOn, recordOperatorAct } from '../../acts/recorded-acts.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { orNotFound, Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { idParams, sentTime } from '../../http/storable.ts'
import { startAndUpdate } from '../../runs/workflow-problems.ts'
import { enumeration } from '../../views/enumeration.ts'
import { whyField } from '../../views/operator-words.ts'

const purpose = z.enum(['field', 'payload'])
const time = z.iso.datetime()
const rotationStatus = enumeration('KeyRotationStatus', 'What a key rotation does or waits for', {
  rewrapping: 'Data keys are wrapped with the new key',
  waiting_for_processes: 'Processes with the old keyring still make data keys under an old key',
  waiting_for_backup: 'The newest snapshot of data keys is older than the rotation',
  waiting_for_runs: 'Open runs whose histories began under an old key have to end',
  done: 'Nothing needs an old key any more',
})
const rotation = z
  .object({
    id: z.uuid(),
    purpose,
    toKey: z.string(),
    status: rotationStatus.schema,
    rewrapped: z.int().describe('data keys that are wrapped by the new key so far'),
    remaining: z
      .int()
      .nullable()
      .describe('data keys, or open runs, that still need another key; null: not counted yet'),
    startedAt: time,
    checkedAt: time.nullable(),
    endedAt: time.nullable(),
  })
  .meta({ id: 'KeyRotation' })

const key = z
  .object({
    purpose,
    id: z.string(),
    encrypts: z.boolean().describe('whether new data is encrypted with it'),
    firstSeenAt: time,
    activeSince: time.nullable(),
    retiredAt: time.nullable().describe('since when no data key and no open run needs it'),
    removableFrom: time
      .nullable()
      .describe('when it may be removed from the keyring: Temporal deletes the last closed run that needs it by then'),
    dataKeys: z.int().nullable().describe('number of data keys that it wraps; null for payload keys'),
  })
  .meta({ id: 'EncryptionKey' })

const run = z
  .object({ workflowId: z.string(), runId: z.string(), type: z.string(), startedAt: time, keyIds: z.array(z.string()) })
  .meta({ id: 'RunUnderOldKeys' })

const position = z.tuple([sentTime, z.uuid()])
const one = { description: 'The rotation', schema: rotation }
const shownRuns = 200

export function keyRotationRoutes(api: ApiContext): Route[] {
  const { sql, cipher, config, temporal } = api
  const activeIds = { field: cipher.activeKekId, payload: config.PAYLOAD_KEYS?.activeId }

  async function found(id: string): Promise<KeyRotation> {
    return orNotFound(await findKeyRotation(sql, id))
  }

  return [
    defineRoute({
      method: 'post',
      path: '/v1/key-rotations',
      tag: 'keys',
      summary: 'Rotate to the key that encrypts now, and retire the others',
      description:
        'Before this call the new key must be in the keyring of every process, and then the first in every keyring. Orders go on meanwhile. A rotation of payload keys waits for open runs, since a run needs the key that it started with until it closes.',
      promises: ['S1'],
      callers: ['operator'],
      idempotencyKey: 'required',
      body: z.strictObject({ purpose, ...whyField }).meta({ id: 'NewKeyRotation' }),
      responses: { 201: { ...one, headers: { Location: 'its address' } } },
      problems: ['key_rotation_running', 'request_in_progress'],
      async handle({ body, caller, idempotency }) {
        const toKey = activeIds[body.purpose]
        if (toKey === undefined) {
          throw new Problem('invalid_request', { errors: [{ field: 'purpose', reason: 'there are no payload keys' }] })
        }
        const { resourceId: id } = await idempotency.claim(null)
        await recordOperatorAct(api, caller, { ...entryOn('rotate-keys', id, body), id }, async () => {
          if (!(await findKeyRotation(sql, id)))
            await start({ rotationId: id, purpose: body.purpose, toKey }, caller.keyId)
        })
        const row = await findKeyRotation(sql, id)
        if (!row) throw new Problem('request_in_progress', { headers: { 'Retry-After': '1' } })
        return { status: 201, headers: { Location: `/v1/key-rotations/${id}` }, body: view(row) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/key-rotations',
      tag: 'keys',
      summary: 'List key rotations, the newest first',
      promises: ['S1'],
      callers: ['operator'],
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageOf(rotation).meta({ id: 'KeyRotationPage' }) } },
      async handle({ query: { cursor, limit } }) {
        const rows = await listKeyRotations(sql, { after: decodeCursor(cursor, position), limit: limit + 1 })
        const page = cutPage(rows, limit, (row) => [row.startedAt.toISOString(), row.id])
        return { status: 200, body: { items: page.rows.map(view), nextCursor: page.nextCursor } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/key-rotations/{id}',
      tag: 'keys',
      summary: 'One key rotation, with its progress',
      promises: ['S1'],
      callers: ['operator'],
      params: idParams,
      responses: { 200: one },
      problems: ['not_found'],
      handle: async ({ params: { id } }) => ({ status: 200, body: view(await found(id)) }),
    }),
    defineRoute({
      method: 'get',
      path: '/v1/key-rotations/{id}/runs',
      tag: 'keys',
      summary: 'List at most 200 open runs that still need an old payload key',
      promises: ['S1'],
      callers: ['operator'],
      reads: ['orders'],
      params: idParams,
      responses: { 200: { description: 'The runs', schema: z.object({ items: z.array(run), more: z.boolean() }) } },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const { purpose, toKey } = await found(id)
        const items: z.input<typeof run>[] = []
        let more = false
        if (purpose === 'payload')
          for await (const { startedAt, ...rest } of runsUnderOldKeys(temporal, toKey)) {
            more = items.length === shownRuns
            if (more) break
            items.push({ ...rest, startedAt: startedAt.toISOString() })
          }
        return { status: 200, about: await accountsNamedIn(sql, JSON.stringify(items)), body: { items, more } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/encryption-keys',
      tag: 'keys',
      summary: 'List all keys by their ids, with the number of data keys that each wraps',
      promises: ['S1'],
      callers: ['operator'],
      responses: { 200: { description: 'The keys', schema: z.object({ items: z.array(key) }) } },
      async handle() {
        const [keys, wrapped, historiesMs] = await Promise.all([
          listKeys(sql),
          countWrapped(sql),
          closedRunsAreKeptMs(temporal),
        ])
        const removable = ({ purpose, retiredAt }: KnownKey): Date | null =>
          retiredAt && plusMs(retiredAt, purpose === 'payload' ? historiesMs : 0)
        const items = keys.map((known) => ({
          purpose: known.purpose,
          id: known.id,
          encrypts: activeIds[known.purpose] === known.id,
          firstSeenAt: known.firstSeenAt.toISOString(),
          activeSince: isoOrNull(known.activeSince),
          retiredAt: isoOrNull(known.retiredAt),
          removableFrom: isoOrNull(removable(known)),
          dataKeys: known.purpose === 'field' ? (wrapped.find(({ kekId }) => kekId === known.id)?.count ?? 0) : null,
        }))
        return { status: 200, body: { items } }
      },
    }),
  ]

  /**
   * The row is a draft until its run has made it current. A sweep deletes drafts without a run: their operator saw an
   * error.
   */
  async function start(input: { rotationId: string; purpose: KeyPurpose; toKey: string }, by: string): Promise<void> {
    const { rotationId: id, purpose, toKey } = input
    await insertKeyRotation(sql, { id, purpose, toKey, at: new Date(), by })
    const run = keyRotationStart(input, config.TEMPORAL_TASK_QUEUE)
    await startAndUpdate(temporal, opened, run, { code: 'request_in_progress', detail: 'The rotation has just ended.' })
  }
}

const view = (row: KeyRotation): z.input<typeof rotation> => ({
  ...row,
  startedAt: row.startedAt.toISOString(),
  checkedAt: isoOrNull(row.checkedAt),
  endedAt: isoOrNull(row.endedAt),
})
