/**
 * Activities that follow delivered eSIMs: they read the provider, record the states and send the notices that are due.
 */
import { activityInfo } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { disputesChangedAt, isDisputed } from '../../db/order/disputes.ts'
import { isReturnedForPart } from '../../db/order/esims/returned-esims.ts'
import { isPerhapsNew, isToppedUpSince, listEsims, recordEsimStatus, type StoredEsim } from '../../db/order/esims.ts'
import { listDeliveredTopUps, moveOrder, type OrderRow } from '../../db/order/orders.ts'
import { raiseForEsim } from '../../db/order/part-tasks.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { type EsimStatus, isNew, isUsable } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure, failureType } from '../../shared/failures.ts'
import { mapUntilFault } from '../../shared/map-until-fault.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { esimFailureTypes, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { createEsimNotices } from './esim-notices.ts'
import { dueNotices, type Ending, endingOf, isOver, isUnused, storedStatus, untilNextDate } from './esim-rules.ts'
import { knownOrder } from './known-order.ts'
import { esimsAtOnce } from './provider-returns.ts'
import { raiseUnlessRefunded } from './returned-esims.ts'

type Activities = Pick<OrderActivities, 'refreshEsims' | 'watchEsims'>

/** after a notice whose mail or push could not be sent */
const noticeRetryMs = 15 * 60_000
/** After a return that was answered with a failure: who asks again completes it. */
const askedAgainWithinMs = milliseconds.hour
/** A provider that has not answered for so long after a hint is asked by the watch. */
const hintIsOverAfterMs = milliseconds.hour

interface HowToAsk {
  /** the states that are stored were read a moment ago */
  justAsked?: boolean
  /** a state that the provider does not say is no answer */
  untilKnown?: boolean
}

interface EsimCheck {
  ended: boolean
  ending: Ending | undefined
  /** it could still be installed, and nothing of it was used */
  unused: boolean
  /** milliseconds until the next notice or expiry is due, at most the poll interval */
  nextCheckMs: number
}

interface OrderCheck {
  ended: boolean
  /** all eSIMs of the order were returned, and not for a partial refund */
  givenBack: boolean
  /**
   * U2, paid means delivered or refunded: the provider has ended all eSIMs of the order, and the customer had nothing
   * of them
   */
  refundDue: boolean
  nextCheckMs: number
}

export function createEsimTrackingActivities(context: WorkerContext): Activities {
  const { sql } = context
  const signals = createOrderSignals(context)
  const notices = createEsimNotices(context)

  return {
    async refreshEsims({ orderId, asOf, untilKnown = false }) {
      const at = new Date(asOf)
      try {
        const { ended, givenBack, refundDue } = await check(orderId, at, { untilKnown })
        if (untilKnown && !givenBack && !refundDue) await raiseUnlessRefunded(sql, orderId, at)
        return { ended, givenBack, ...(refundDue && { refundDue }) }
      } catch (error) {
        // Until this is done, the run gives no money back. Its watch asks again, as it does each day.
        const isAway = failureType(error) === esimFailureTypes.unavailable
        if (untilKnown || !isAway || sinceScheduledMs() < hintIsOverAfterMs) throw error
        return { ended: false, givenBack: false }
      }
    },

    /** The scheduled time of an attempt is in the workflow's time, which tests can skip. */
    async watchEsims({ orderId, isUnsure }) {
      const at = new Date(activityInfo().currentAttemptScheduledTimestampMs)
      // The first attempt follows a call of the provider, so stored states are current unless it had to wait for a
      // worker.
      const isFirst = activityInfo().attempt === 1 && !isUnsure
      const justAsked = isFirst && Date.now() - at.getTime() < milliseconds.minute
      const { ended, givenBack, refundDue, nextCheckMs } = await check(orderId, at, { justAsked })
      // Some may have gone back with a return that was answered with a failure, and nobody has asked again since.
      const isLeft = isUnsure && !givenBack && !refundDue && sinceScheduledMs() >= askedAgainWithinMs
      if (isLeft) await raiseUnlessRefunded(sql, orderId, at)
      if (!ended) throw failure('EsimStillLives', { nextRetryDelay: nextCheckMs })
      if (givenBack || refundDue) return { recorded: false, ...(refundDue && { refundDue }) }
      await raiseUnlessRefunded(sql, orderId, at)
      await moveOrder(sql, orderId, ['delivered'], { status: 'ended', ended_at: at })
      return { recorded: true }
    },
  }

  async function check(orderId: string, at: Date, how: HowToAsk): Promise<OrderCheck> {
    const order = await knownOrder(sql, orderId)
    await notices.sendBounceNotice(order, at)
    const checks = await checkEach(order, at, how)
    const haveEnded = (...endings: Ending[]): boolean =>
      checks.length > 0 && checks.every(({ ending }) => ending !== undefined && endings.includes(ending))
    const areBack = haveEnded('returned')
    const refundDue = !areBack && haveEnded('returned', 'by_provider') && checks.every(({ unused }) => unused)
    // U2, paid means delivered or refunded: the data of a paid top-up has ended with its eSIM
    // (payment/late-payment.ts).
    if (refundDue || areBack)
      for (const { id } of await listDeliveredTopUps(sql, orderId)) await signals.settleTopUp(id)
    return {
      ended: checks.every(({ ended }) => ended),
      givenBack: areBack && !(await isReturnedForPart(sql, orderId)),
      refundDue,
      nextCheckMs: Math.min(periods.order.esimPollMs, ...checks.map(({ nextCheckMs }) => nextCheckMs)),
    }
  }

  /** One of which its provider does not speak must not keep the others from being followed. */
  async function checkEach(order: OrderRow, at: Date, how: HowToAsk): Promise<EsimCheck[]> {
    const faults: unknown[] = []
    const checks = await mapUntilFault(
      await listEsims(context, order),
      (esim) =>
        checkEsim(esim, order, at, how).catch((error: unknown) => {
          faults.push(error)
          return undefined
        }),
      { concurrency: esimsAtOnce },
    )
    if (faults.length > 0) throw faults[0]
    return checks.flatMap((checked) => checked ?? [])
  }

  async function checkEsim(
    esim: StoredEsim,
    order: OrderRow,
    at: Date,
    { justAsked = false, untilKnown = false }: HowToAsk,
  ): Promise<EsimCheck> {
    const isKnown = justAsked || (isOver(esim.state) && !(await isRevivable(esim)))
    const status = isKnown ? storedStatus(esim) : await askProvider(esim, order, at)
    if (untilKnown && status.state === 'unknown') throw failure(esimFailureTypes.unavailable, { code: 'unknown_state' })
    const ending = endingOf(esim, status)
    const due = ending === 'by_provider' ? (['ended_early'] as const) : dueNotices(status, at)
    const allSent = await notices.send(esim, order, [...due], status, at)
    return {
      // The end of the run would end the retries of its last notice.
      ended: ending !== undefined && allSent,
      ending,
      unused: isUnused(esim, status, order, at),
      nextCheckMs: allSent ? untilNextDate(status.expiresAt, at) : noticeRetryMs,
    }
  }

  /** A top-up that was bought in time may have been applied after the expiry. */
  async function isRevivable(esim: StoredEsim): Promise<boolean> {
    return esim.state === 'expired' && (await isToppedUpSince(sql, esim))
  }

  /**
   * Reads the status of an eSIM from its provider, and records it. Operators learn what the provider does by itself.
   */
  async function askProvider(esim: StoredEsim, order: OrderRow, at: Date): Promise<EsimStatus> {
    const provider = context.esimProviders[esim.provider]
    const status = await withFailureTypes(esimFailureTypes, () => provider.getStatus(esim.esimRef))
    if (status.state === 'unknown') return status
    const task = { subjectId: order.id, at }
    if (endingOf(esim, status) === 'by_provider') {
      const unusedOrUsed = isUnused(esim, status, order, at) ? 'unused' : 'used'
      // Of one of several nothing is refunded by itself: it has no price of its own.
      const detail = order.quantity > 1 ? `${unusedOrUsed}, one of ${order.quantity}` : unusedOrUsed
      const topUps = (await listDeliveredTopUps(sql, order.id)).filter(({ esim_id }) => esim_id === esim.id)
      const named = { [unusedOrUsed]: [esim.id], topUps: topUps.map(({ id }) => id) }
      await raiseForEsim(sql, { ...task, kind: 'esim_ended_by_provider', detail }, named)
    }
    if (status.state === 'suspended' && esim.state !== 'suspended') {
      // `suspended` in the row: we had it suspended for a dispute, and the provider has not ended that yet.
      const isOurs = esim.suspended || (await isDisputed(sql, { id: esim.id, orderId: order.id }))
      if (!isOurs) await raiseOperatorTask(sql, { ...task, kind: 'esim_suspended_by_provider' })
    }
    const kept = await suspendAgain(esim, order, status, at)
    await recordEsimStatus(sql, esim.id, kept, at)
    // Another one may have gone back, while this one stays with its customer.
    if (isPerhapsNew(esim) && !isPerhapsNew(status)) await raiseUnlessRefunded(sql, order.id, at)
    return kept
  }

  /**
   * Suspends an eSIM that runs though its payment is disputed: its provider's staff has resumed it, or a return has,
   * which was refused then.
   */
  async function suspendAgain(esim: StoredEsim, order: OrderRow, status: EsimStatus, at: Date): Promise<EsimStatus> {
    const runs = esim.suspended && status.state !== 'suspended' && isUsable(status)
    if (!runs || !(await isDisputed(sql, { id: esim.id, orderId: order.id }))) return status
    const task = { kind: 'esim_not_suspendable', subjectId: order.id, at }
    try {
      if ((await context.esimProviders[esim.provider].suspend(esim.esimRef)) === 'done') {
        const areAll = (await listEsims(context, order)).every(({ suspended }) => suspended)
        if (areAll) await resolveOperatorTask(sql, { ...task, by: 'order' })
        return { ...status, state: 'suspended', ...(isNew(status) && { suspendedNew: true as const }) }
      }
    } catch (error) {
      if (!isProviderFailure(error)) throw error
    }
    // The next check of the eSIM tries again.
    const since = await disputesChangedAt(sql, { id: esim.id, orderId: order.id })
    await raiseForEsim(sql, task, { esims: [esim.id] }, since)
    return status
  }
}
