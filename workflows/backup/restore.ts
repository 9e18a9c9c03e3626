/**
 * U2, paid means delivered or refunded: settles the orders and payments that a restore could not rebuild, then lets the
 * API take requests.
 */
import { proxyActivities, sleep } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import type { RestoreActivities, RestoreInput, RestoreResult } from './restore.contract.ts'

const { settleRestored } = proxyActivities<RestoreActivities>({ ...retry.manyRows, retry: retry.duty.retry })
const { openTraffic, leaveRestoredToOperators } = proxyActivities<RestoreActivities>(retry.duty)

export async function restore({ restoreId }: RestoreInput): Promise<RestoreResult> {
  const openBy = plusMs(now(), periods.restore.closedAtMostMs)
  const giveUpAt = plusMs(now(), periods.restore.settledWithinMs)
  const waitingFor = 'the payment processor and the eSIM providers'
  let isOpen = false
  showStatusDetails({ status: 'closed', waitingFor, dueAt: openBy })
  for (let waitMs = periods.restore.firstRetryMs; ; waitMs = Math.min(2 * waitMs, periods.restore.lastRetryMs)) {
    const left = await settleRestored({ restoreId, ...clock() })
    const isSettled = left.payments + left.esims === 0
    // An outside party that is down must not keep everybody else away.
    if (!isOpen && (left.payments === 0 || now() >= openBy)) {
      await openTraffic({ restoreId, ...clock() })
      isOpen = true
      if (!isSettled) showStatus({ status: 'open', waitingFor, dueAt: giveUpAt })
    }
    if (isSettled || now() >= giveUpAt) return leaveRestoredToOperators({ restoreId, ...clock() })
    await sleep(isOpen ? waitMs : Math.max(1, Math.min(waitMs, msUntil(openBy, now()))))
  }
}
