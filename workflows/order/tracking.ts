/** Follows delivered eSIMs to their end: by the provider's hints, and by a slow poll in case a hint gets lost. */
import { CancellationScope, condition, isCancellation, proxyActivities } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil } from '../../shared/calendar.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities } from './order.contract.ts'
import { localFirst, type OrderRun, ranOutOfTime } from './run.ts'

interface Watch {
  state: 'watching' | 'ended' | 'out_of_time' | 'broken'
  /** the activity has recorded the order as ended */
  recorded: boolean
  /** the provider has ended the unused eSIMs */
  refundDue: boolean
  error?: unknown
}

/** Resolves when all eSIMs of the order have ended or were returned. `recorded`: the order is recorded as ended. */
export async function track(
  run: OrderRun,
  expiresBy: Date,
): Promise<'recorded' | 'ended' | 'returned' | 'ended_by_provider'> {
  const { orderId, hints, requested } = run
  let scope = new CancellationScope()
  let watch = startWatch()
  let ended = false
  let refundDue = false
  while (!ended && !requested.returned) {
    await condition(
      () =>
        !requested.returning &&
        (hasHint() || requested.returned || requested.returnUnsure || watch.state !== 'watching'),
    )
    if (requested.returned) break
    if (requested.returnUnsure) {
      restartWatch()
      continue
    }
    if (watch.state === 'broken') throw watch.error
    if (hints.payment) {
      await checkRefunds()
      continue
    }
    ended = await refresh()
    // While eSIMs are being returned, the provider reports them as ended.
    await condition(() => !requested.returning)
    if (!ended && watch.state === 'out_of_time') watch = startWatch()
  }
  scope.cancel()
  if (requested.returned) return 'returned'
  if (refundDue || watch.refundDue) return 'ended_by_provider'
  return watch.recorded ? 'recorded' : 'ended'

  function hasHint(): boolean {
    return hints.provider || hints.payment
  }

  /**
   * After a return with an unknown outcome a new watch asks the provider at once; the old one would ask a day later.
   */
  function restartWatch(): void {
    requested.returnUnsure = false
    scope.cancel()
    scope = new CancellationScope()
    watch = startWatch(true)
  }

  /**
   * No refund was requested here, so the hint is about a refund that was made in the dashboard of the payment
   * processor.
   */
  async function checkRefunds(): Promise<void> {
    hints.payment = false
    await localFirst.checkRefunds({ orderId, ...clock() })
  }

  async function refresh(): Promise<boolean> {
    hints.provider = false
    if (watch.state === 'ended' && !requested.returnTried) return true
    const seen = await localFirst.refreshEsims({ orderId, ...clock() })
    if (seen.givenBack && requested.returnTried) requested.returned = true
    refundDue = seen.refundDue === true
    return seen.ended
  }

  /** @param isUnsure whether the stored states are those of now is not known */
  function startWatch(isUnsure = false): Watch {
    const progress: Watch = { state: 'watching', recorded: false, refundDue: false }
    // Top-ups may extend an eSIM's life beyond this bound; the loop then refreshes and starts another watch.
    const bound = msUntil(expiresBy, now()) + periods.order.esimLifeMaxMs
    const { watchEsims } = proxyActivities<OrderActivities>({ ...retry.watch, scheduleToCloseTimeout: bound })
    scope
      .run(() => watchEsims({ orderId, ...(isUnsure && { isUnsure }) }))
      .then(
        ({ recorded, refundDue: due }) => {
          progress.state = 'ended'
          progress.recorded = recorded
          progress.refundDue = due === true
        },
        (error: unknown) => {
          if (isCancellation(error)) return
          progress.state = ranOutOfTime(error) ? 'out_of_time' : 'broken'
          progress.error = error
        },
      )
    return progress
  }
}
