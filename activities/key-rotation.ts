/** S1: data is encrypted. Activities of key rotations, all repeatable. */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import {
  countNotUnder,
  countWrapped,
  type KeyPurpose,
  listKeys,
  noteKeys,
  retireKeys,
  rewrapRange,
  snapshotIsOlder,
} from '../db/crypto/encryption-keys.ts'
import { findKeyRotation, openRotation, recordRotation } from '../db/crypto/key-rotations.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import { idRange } from '../db/policy-deliveries.ts'
import { periods } from '../policy/periods.ts'
import { plusDays } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import { runsUnderOldKeys } from '../temporal/payload-keys.ts'
import type { KeyRotationActivities } from '../workflows/keys/key-rotation.contract.ts'

const pageSize = 1_000
/** The next attempt may run on a worker that has the new keyring. */
const askAgainMs = 500
const task = 'key_rotation_due'

export function createKeyRotationActivities(context: WorkerContext): KeyRotationActivities {
  const { sql, cipher, config, temporal } = context
  const keyrings = { field: config.FIELD_KEYS, payload: config.PAYLOAD_KEYS }

  return {
    async checkKeys({ asOf }) {
      const at = new Date(asOf)
      for (const purpose of ['field', 'payload'] as const) {
        const keyring = keyrings[purpose]
        if (!keyring) continue
        const { activeId } = keyring
        await noteKeys(sql, { purpose, ids: [...keyring.keys.keys()], activeId, at })
        const active = (await listKeys(sql)).find((key) => key.purpose === purpose && key.id === activeId)
        const isOld = (active?.activeSince ?? at) < plusDays(at, -periods.keys.rotateWithinDays)
        const known = { kind: task, subjectId: purpose, at }
        if (isOld) await raiseOperatorTask(sql, { ...known, detail: activeId })
        else await resolveOperatorTask(sql, { ...known, by: 'rotation' })
      }
    },

    openRotation: ({ rotationId, purpose }) => openRotation(sql, rotationId, purpose),

    findRotation: async ({ rotationId }) => (await findKeyRotation(sql, rotationId)) !== undefined,

    async planRotation() {
      const count = (await countWrapped(sql)).reduce((sum, each) => sum + each.count, 0)
      return { pages: Math.max(1, Math.ceil(count / pageSize)) }
    },

    async rewrapDataKeys({ toKey, page, pages }) {
      assertActive('field', toKey)
      return { rewrapped: await rewrapRange(sql, cipher, idRange(page, pages)) }
    },

    countUnderOldKeys: ({ toKey }) => countNotUnder(sql, toKey),

    async countRunsUnderOldKeys({ toKey }) {
      assertActive('payload', toKey)
      let count = 0
      for await (const _run of runsUnderOldKeys(temporal, toKey, () => heartbeat())) count += 1
      return count
    },

    async recordRotation({ rotationId, status, rewrapped, remaining, asOf }) {
      await recordRotation(sql, rotationId, { status, rewrapped, remaining, at: new Date(asOf) })
    },

    async retireOldKeys({ purpose, toKey, unusedSince, asOf }) {
      if (purpose === 'field') {
        if ((await countNotUnder(sql, toKey)) > 0) return 'in_use'
        if (await snapshotIsOlder(sql, new Date(unusedSince))) return 'in_snapshot'
      }
      await retireKeys(sql, purpose, toKey, new Date(asOf))
      return 'retired'
    },
  }

  /**
   * @throws KeyringBehind while this worker has the old keyring: another worker, or this one after a restart, has the
   * new one
   */
  function assertActive(purpose: KeyPurpose, toKey: string): void {
    if (keyrings[purpose]?.activeId !== toKey) throw failure('KeyringBehind', { nextRetryDelay: askAgainMs })
  }
}
