/**
 * U5, fraud is prevented: the reaction of a run to early fraud warnings (docs/fraud-and-disputes.md). The signal is a
 * hint; Stripe says whether a warning is still actionable, and the order's row what can be done.
 */
import { ActivityFailure, condition, patched, proxyActivities } from '@temporalio/workflow'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failureType } from '../../shared/failures.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import type { FraudWarningOutcome, OrderActivities } from './order.contract.ts'
import { charge, codeOf, localFirst, type OrderRun } from './run.ts'

/** A try is as long as that of a customer, who is refused while it is under way. */
const trying = proxyActivities<OrderActivities>(retry.whileCallerWaits)
/** Between two tries: a minute at first, an hour later. */
const longestPauseMs = milliseconds.hour
const { returnTriedForMs } = periods.fraudWarning
/** Of runs from before the money went back without the eSIMs. */
const onceTriedForMs = 7 * milliseconds.day
/** In the aftercare, where nobody else asks for the same. */
const inTime = proxyActivities<OrderActivities>({ ...retry.money, scheduleToCloseTimeout: returnTriedForMs })

/** Acts on the order's warnings. Hints that come meanwhile are one. */
export async function noteFraudWarning(run: OrderRun): Promise<void> {
  // A worker that did not know the signal may have taken it: its history has none of the commands below.
  if (!patched('fraud-warnings')) return
  const { fraudWarning } = run
  fraudWarning.hinted = true
  if (fraudWarning.looking) return
  fraudWarning.looking = true
  while (fraudWarning.hinted) {
    fraudWarning.hinted = false
    await act(run)
  }
  fraudWarning.looking = false
}

async function act(run: OrderRun): Promise<void> {
  const { orderId, requested } = run
  // While eSIMs are being returned, the state of the order is not known.
  await condition(() => !requested.returning)
  const outcome = await readOutcome(orderId)
  if (outcome === 'operator') return tellOperators(orderId, 'not_returnable')
  if (outcome === 'refund') {
    // Delivered meanwhile: something else is to be done.
    if (run.progress.delivered) run.fraudWarning.hinted = true
    else {
      requested.suspect = true
      run.stopProvisioning?.()
    }
    return
  }
  if (outcome === 'nothing') return
  // A run that was started again has not caught up with its delivered order yet.
  if (isBeforeProvisioning(run) && patched('fraud-warning-of-a-run-that-catches-up'))
    await condition(() => !isBeforeProvisioning(run))
  await condition(() => run.state.status !== 'provisioning' && !requested.returning)
  if (run.state.status !== 'delivered' || requested.returned) return
  const refusedWith = await returnEsims(run)
  if (refusedWith) await tellOperators(orderId, refusedWith)
}

const isBeforeProvisioning = ({ state }: OrderRun): boolean =>
  state.status === 'awaiting_payment' || state.status === 'in_review'

/**
 * Tries until the eSIMs are back, by these tries or another way. Between two tries the customer can ask for the same,
 * and the run follows the eSIMs.
 * @returns why they could not be returned, if so
 */
async function returnEsims(run: OrderRun): Promise<string | undefined> {
  const { requested, state } = run
  const decideAt = plusMs(now(), returnTriedForMs)
  const giveUpAt = plusMs(now(), onceTriedForMs)
  for (let pauseMs = milliseconds.minute; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    const refused = await returnForWarning(run)
    if (!refused) return undefined
    const againAt = plusMs(now(), pauseMs)
    const isFinal = refused.isInUse || againAt > giveUpAt
    if (isFinal || !patched('fraud-warning-tried-again')) return refused.code
    if (againAt > decideAt && patched('fraud-warning-decided-in-time')) return refundUnreturned(run, refused.code)
    const isSettled = () => requested.returned || state.status !== 'delivered'
    await condition(isSettled, pauseMs)
    await condition(() => !requested.returning)
    if (isSettled()) {
      // Nothing of the order comes back, and an operator settles its warning.
      if (state.status === 'ended' && patched('fraud-warning-of-an-ended-order')) run.fraudWarning.hinted = true
      return undefined
    }
  }
}

/**
 * The provider has not answered for days, and a dispute may come: the money goes back first. The run's refund goes on
 * trying to return the eSIMs, and makes them an operator's when it cannot.
 * @returns why an operator has to decide, if so
 */
async function refundUnreturned(run: OrderRun, code: string): Promise<string | undefined> {
  const { requested, state } = run
  const outcome = await readOutcome(run.orderId, true)
  await condition(() => !requested.returning)
  if (outcome === 'operator') return code
  if (outcome !== 'take_back' || requested.returned) return undefined
  if (state.status === 'ended') run.fraudWarning.hinted = true
  if (state.status !== 'delivered') return undefined
  requested.suspect = true
  requested.returned = true
  return undefined
}

/** @returns why the eSIMs could not be returned, if so */
async function returnForWarning({
  orderId,
  requested,
}: OrderRun): Promise<{ code: string; isInUse: boolean } | undefined> {
  requested.returning = true
  requested.returnTried = true
  requested.suspect = true
  try {
    await trying.withdrawEsims({ orderId, ...clock() })
    requested.returned = true
    return undefined
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    const isInUse = failureType(error) === 'EsimInUse'
    requested.suspect = false
    requested.returnUnsure = !isInUse
    return { code: whyNot(error), isInUse }
  } finally {
    requested.returning = false
  }
}

/**
 * Returns the delivered eSIMs to their provider. @throws ActivityFailure EsimInUse, or when the warning cannot wait any
 * longer
 */
export const returnUnusedEsims = (orderId: string): Promise<unknown> => inTime.withdrawEsims({ orderId, ...clock() })

/** The code of an operator task about eSIMs that were not returned. */
export const whyNot = (error: unknown): string =>
  failureType(error) === 'EsimInUse' ? 'esim_in_use' : (codeOf(error).code ?? 'provider_unavailable')

export async function readOutcome(orderId: string, providerIsAway = false): Promise<FraudWarningOutcome> {
  try {
    return await charge.readFraudWarnings({ orderId, ...clock(), ...(providerIsAway && { providerIsAway }) })
  } catch (error) {
    return unread(orderId, error)
  }
}

export async function tellOperators(orderId: string, code: string): Promise<void> {
  try {
    await charge.raiseFraudWarning({ orderId, ...clock(), code })
  } catch (error) {
    await unread(orderId, error)
  }
}

/** The order was erased meanwhile, or Stripe has not answered for a week. */
async function unread(orderId: string, error: unknown): Promise<'nothing'> {
  if (!(error instanceof ActivityFailure)) throw error
  await localFirst.raiseAttention({ orderId, kind: 'fraud_warning_unread', ...clock(), ...codeOf(error) })
  return 'nothing'
}
