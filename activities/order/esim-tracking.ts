/**
 * Activities that follow delivered eSIMs: they read the provider, record the states and send the notices that are due.
 */
import { activityInfo } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { listEsims, recordEsimStatus, type StoredEsim } from '../../db/order/esims.ts'
import { moveOrder, type OrderRow } from '../../db/order/orders.ts'
import type { EsimNotice } from '../../mails/esim-status.tsx'
import { milliseconds, periods } from '../../policy/periods.ts'
import type { EsimProviderId, EsimStatus } from '../../providers/esim.ts'
import { failure } from '../../shared/failures.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { esimFailureTypes, withFailureTypes } from '../failures.ts'
import { createEsimNotices } from './esim-notices.ts'
import { knownOrder } from './known-order.ts'

type Activities = Pick<OrderActivities, 'refreshEsims' | 'watchEsims'>

/** after a notice whose mail or push could not be sent */
const noticeRetryMs = 15 * 60_000

/** a provider may report late that an eSIM has expired */
const expiryLagMs = 60 * 60_000

interface EsimCheck {
  ended: boolean
  givenBack: boolean
  /** milliseconds until the next notice or expiry is due, at most the poll interval */
  nextCheckMs: number
}

export function createEsimTrackingActivities(context: Context): Activities {
  const { sql } = context
  const notices = createEsimNotices(context)

  return {
    async refreshEsims({ orderId, asOf }) {
      const { ended, givenBack } = await check(orderId, new Date(asOf), false)
      return { ended, givenBack }
    },

    /** The scheduled time of an attempt is in the workflow's time, which tests can skip. */
    async watchEsims({ orderId }) {
      const at = new Date(activityInfo().currentAttemptScheduledTimestampMs)
      // The first attempt follows a call of the provider, so stored states are current unless it had to wait for a
      // worker.
      const justAsked = activityInfo().attempt === 1 && Date.now() - at.getTime() < milliseconds.minute
      const { ended, givenBack, nextCheckMs } = await check(orderId, at, justAsked)
      if (!ended) throw failure('EsimStillLives', { nextRetryDelay: nextCheckMs })
      if (givenBack) return { recorded: false }
      await moveOrder(sql, orderId, ['delivered'], { status: 'ended', ended_at: at })
      return { recorded: true }
    },
  }

  async function check(orderId: string, at: Date, justAsked: boolean): Promise<EsimCheck> {
    const order = await knownOrder(sql, orderId)
    const esims = await listEsims(context, order)
    const checks: EsimCheck[] = []
    for (const esim of esims) checks.push(justAsked ? checkStored(esim, at) : await checkEsim(esim, order, at))
    return {
      ended: checks.every(({ ended }) => ended),
      givenBack: checks.length > 0 && checks.every(({ givenBack }) => givenBack),
      nextCheckMs: Math.min(periods.order.esimPollMs, ...checks.map(({ nextCheckMs }) => nextCheckMs)),
    }
  }

  async function checkEsim(esim: StoredEsim, order: OrderRow, at: Date): Promise<EsimCheck> {
    if (isOver(esim.state)) return checkStored(esim, at)
    const provider = context.esimProviders[esim.provider as EsimProviderId]
    const status = await withFailureTypes(esimFailureTypes, () => provider.getStatus(esim.esimRef))
    if (status.state !== 'unknown') await recordEsimStatus(sql, esim.id, status, at)
    const allSent = await notices.send(esim, order, dueNotices(status, at), status, at)
    return {
      ended: isOver(status.state),
      givenBack: isReturned(status.state),
      nextCheckMs: allSent ? untilNextDate(status.expiresAt, at) : noticeRetryMs,
    }
  }
}

const checkStored = ({ state, expiresAt }: StoredEsim, at: Date): EsimCheck => ({
  ended: isOver(state),
  givenBack: isReturned(state),
  nextCheckMs: untilNextDate(expiresAt?.toISOString() ?? null, at),
})

const isReturned = (state: EsimStatus['state']): boolean => state === 'cancelled'
const isOver = (state: EsimStatus['state']): boolean => state === 'expired' || state === 'cancelled'

/** U3: package updates are sent once. Returns the notices that are due for an eSIM in this state at this time. */
export function dueNotices(status: EsimStatus, at: Date): EsimNotice[] {
  if (status.state === 'expired') return ['expired']
  if (status.state === 'cancelled' || status.state === 'unknown') return []
  const due: EsimNotice[] = []
  if (status.state === 'in_use' || status.usedBytes > 0) due.push('in_use')
  if (status.state === 'used_up') due.push('used_up')
  else if (status.totalBytes !== null && status.usedBytes >= periods.order.lowDataShare * status.totalBytes)
    due.push('low_data')
  const leftMs = status.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(status.expiresAt) - at.getTime()
  // An eSIM may have expired although its provider does not report it yet.
  if (leftMs > 0 && leftMs <= periods.order.lastDayMs) due.push('last_day')
  return due
}

/** Milliseconds until a second after the next date, in case our clock is ahead of the provider's. */
function untilNextDate(expiresAt: string | null, at: Date): number {
  const expiry = expiresAt === null ? Number.NaN : Date.parse(expiresAt)
  if (expiry <= at.getTime()) return expiryLagMs
  const dates = [expiry - periods.order.lastDayMs, expiry].map((date) => date + 1000 - at.getTime())
  return Math.min(periods.order.esimPollMs, ...dates.filter((ms) => ms > 0))
}
