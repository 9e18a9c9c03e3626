/** G3: the erasure itself, and the proof that nothing is left in our own stores. */
import type { Context } from '../../context.ts'
import { forgetDeletedKeys } from '../../db/connection/vacuum.ts'
import { eraseLateRows } from '../../db/erasure/erased-rows.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { checkTraces } from '../../db/erasure/erasure-check.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'eraseAccount' | 'verifyErasure'>

/** an export or a backup is read in one transaction */
const snapshotLookMs = 60_000

export function createErasureActivities(context: Context): Activities {
  const { sql, dataKeys } = context

  return {
    async eraseAccount({ accountRef, receiptId, reason, asOf, backupsGoneBy }) {
      const erasure = { accountRef, receiptId, reason, at: new Date(asOf), backupsGoneBy: new Date(backupsGoneBy) }
      const erased = await sql.begin((tx) => erase(tx, context, erasure))
      if (!erased) return null
      if (erased === 'in_use') return erased
      if (erased.accountId) dataKeys.forget(erased.accountId)
      return {
        receiptId: erased.receiptId,
        erasedAt: erased.erasedAt.toISOString(),
        backupsGoneBy: erased.backupsGoneBy.toISOString(),
        pending: erased.pending,
      }
    },

    async verifyErasure({ final, ...step }) {
      await withSecret(context, { ...step, processor: 'database', part: 'trace' }, async (trace) => {
        // What was under way at the erasure may have written a last row that nothing ties to the account.
        await eraseLateRows(sql, trace)
        // Most of it by indexes at once, and once more with all the rest when it has become quiet around the account.
        const depth = final ? 'everything' : 'indexes'
        const { found, unchecked } = await checkTraces(sql, trace, depth)
        const left = [...found, ...unchecked]
        if (left.length > 0) throw failure('ErasureIncomplete', { code: left.slice(0, 5).join(',') })
        if (!final) return 'later'
        const forgotten = await forgetDeletedKeys(sql, trace.transaction)
        if (!forgotten)
          throw failure('ErasureIncomplete', { code: 'old_snapshot_open', nextRetryDelay: snapshotLookMs })
        return { state: 'done' }
      })
    },
  }
}
