/**
 * S1, sensitive data is encrypted at rest: figures which show that every data key can be unwrapped, and that no key
 * encrypts for too long.
 */
import type { Readings } from '../../policy/figures.ts'
import type { Queryable } from '../connection/database.ts'
import { countWrapped, listKeys } from '../crypto/encryption-keys.ts'
import { daysSince } from './retention.ts'
import { detailOf } from './schema.ts'

export interface KeyringIds {
  field: { activeId: string; ids: readonly string[] }
  /** undefined in development without payload keys */
  payload: { activeId: string } | undefined
}

export async function readKeyFigures(sql: Queryable, keyrings: KeyringIds, asOf: Date): Promise<Readings> {
  const [wrapped, known] = await Promise.all([countWrapped(sql), listKeys(sql)])
  const lost = wrapped.filter(({ kekId }) => !keyrings.field.ids.includes(kekId))
  const active = known.filter(
    ({ purpose, id }) => (purpose === 'field' ? keyrings.field.activeId : keyrings.payload?.activeId) === id,
  )
  const ages = active.map((key) => daysSince(key.activeSince ?? key.firstSeenAt, asOf))
  return {
    lost_keys: {
      value: lost.reduce((sum, { count }) => sum + count, 0),
      ...detailOf(lost.map(({ kekId, count }) => `${kekId}: ${count}`)),
    },
    // The age of a key is unknown until the first check has recorded the keys.
    key_age: { value: ages.length > 0 ? Math.max(0, ...ages) : null },
  }
}
