/** A delivered eSIM's life: the provider's news make us look at once, a slow watch is the net below them. */
import { CancellationScope, condition, isCancellation, proxyActivities } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil } from '../../shared/calendar.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { OrderActivities } from './order.contract.ts'
import { localFirst, type OrderRun, ranOutOfTime } from './run.ts'

interface Watch {
  state: 'watching' | 'ended' | 'out_of_time' | 'broken'
  /** the order is closed in the books as ended */
  recorded: boolean
  error?: unknown
}

/** Returns when every eSIM of the order has ended, recorded already or not, or was given back unused. */
export async function track(run: OrderRun, livesUntil: Date): Promise<'recorded' | 'ended' | 'returned'> {
  const { orderId, hints, requested } = run
  let scope = new CancellationScope()
  let watch = startWatch()
  let ended = false
  while (!ended && !requested.returned) {
    await condition(
      () =>
        !requested.returning &&
        (isNews() || requested.returned || requested.returnUnsure || watch.state !== 'watching'),
    )
    if (requested.returned) break
    if (requested.returnUnsure) {
      watchAnew()
      continue
    }
    if (watch.state === 'broken') throw watch.error
    if (hints.payment) {
      await lookForRefunds()
      continue
    }
    ended = await look()
    // The provider's news of what is being given back must not pass for the end of an eSIM's life.
    await condition(() => !requested.returning)
    if (!ended && watch.state === 'out_of_time') watch = startWatch()
  }
  scope.cancel()
  if (requested.returned) return 'returned'
  return watch.recorded ? 'recorded' : 'ended'

  function isNews(): boolean {
    return hints.provider || hints.payment
  }

  /** The provider may be away: the watch asks at once, and then at its patient pace. */
  function watchAnew(): void {
    requested.returnUnsure = false
    scope.cancel()
    scope = new CancellationScope()
    watch = startWatch()
  }

  /** Nobody asked us for one yet: what the processor's news is about was made there by hand. */
  async function lookForRefunds(): Promise<void> {
    hints.payment = false
    await localFirst.checkRefunds({ orderId, ...clock() })
  }

  async function look(): Promise<boolean> {
    hints.provider = false
    if (watch.state === 'ended' && !requested.returnTried) return true
    const { ended, givenBack } = await localFirst.refreshEsims({ orderId, ...clock() })
    if (givenBack && requested.returnTried) requested.returned = true
    return ended
  }

  function startWatch(): Watch {
    const progress: Watch = { state: 'watching', recorded: false }
    // Top-ups may lengthen an eSIM's life, so the bound is generous; past it the loop looks and watches on.
    const bound = msUntil(livesUntil, now()) + periods.order.esimLifeMaxMs
    const { watchEsims } = proxyActivities<OrderActivities>({ ...retry.watch, scheduleToCloseTimeout: bound })
    scope
      .run(() => watchEsims({ orderId }))
      .then(
        ({ recorded }) => {
          progress.state = 'ended'
          progress.recorded = recorded
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
