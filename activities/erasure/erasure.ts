/** G3: everybody can delete their account. Erases the rows of a person, and verifies that no table has any left. */
import type { Context } from '../../context.ts'
import { vacuumDeletedKeys } from '../../db/connection/vacuum.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { checkTraces } from '../../db/erasure/erasure-check.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { recordedAt } from '../failures.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'eraseAccount' | 'verifyErasure'>

/** an export or a backup holds its snapshot for one transaction */
const snapshotRetryMs = 60_000

export function createErasureActivities(context: Context): Activities {
  const { sql, dataKeys } = context

  return {
    async eraseAccount({ accountRef, receiptId, reason, asOf, backupsGoneBy }) {
      const at = recordedAt(asOf)
      // A backup from between the request and the erasure has the person as well.
      const lateMs = at.getTime() - Date.parse(asOf)
      const erasure = { accountRef, receiptId, reason, at, backupsGoneBy: plusMs(new Date(backupsGoneBy), lateMs) }
      const erased = await sql.begin((tx) => erase(tx, context, erasure))
      if (!erased) return null
      if (erased === 'in_use') return erased
      if (erased.accountId) dataKeys.evict(erased.accountId)
      return {
        receiptId: erased.receiptId,
        erasedAt: erased.erasedAt.toISOString(),
        backupsGoneBy: erased.backupsGoneBy.toISOString(),
        pending: erased.pending,
      }
    },

    async verifyErasure({ final, ...step }) {
      return withSecret(context, { ...step, processor: 'database', part: 'trace' }, async (trace) => {
        // A call that was under way at the erasure may have written a row without a reference to the account.
        // The first verification reads indexes only; the final one reads whole tables when no call is under way any
        // more.
        const depth = final ? 'everything' : 'indexes'
        await eraseLateRows(sql, trace, depth)
        const { found, unchecked } = await checkTraces(sql, trace, depth)
        const left = [...found, ...unchecked]
        if (left.length > 0) throw failure('ErasureIncomplete', { code: left.slice(0, 5).join(',') })
        if (!final) return 'later'
        const isVacuumed = await vacuumDeletedKeys(sql, trace.transaction)
        if (!isVacuumed)
          throw failure('ErasureIncomplete', { code: 'old_snapshot_open', nextRetryDelay: snapshotRetryMs })
        return { state: 'done' }
      })
    },
  }
}
