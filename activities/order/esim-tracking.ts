/** Following delivered eSIMs: the provider is asked, states are written down, due notices go out once. */
import { activityInfo } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { listEsims, recordEsimStatus, type StoredEsim } from '../../db/order/esims.ts'
import { moveOrder, type OrderRow } from '../../db/order/orders.ts'
import type { EsimNotice } from '../../mails/esim-status.tsx'
import { milliseconds, periods } from '../../policy/periods.ts'
import type { EsimProviderId, EsimStatus } from '../../providers/esim.ts'
import { failure } from '../../shared/failures.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { esimLook, withFailureTypes } from '../failures.ts'
import { createEsimNotices } from './esim-notices.ts'
import { knownOrder } from './known-order.ts'

type Activities = Pick<OrderActivities, 'refreshEsims' | 'watchEsims'>

/** soon enough for a notice whose mail or push could not go out */
const noticeRetryMs = 15 * 60_000

/** a provider may take a while to notice that an eSIM's time is over */
const expiryLagMs = 60 * 60_000

interface Look {
  ended: boolean
  givenBack: boolean
  /** milliseconds until something is due by the calendar, or the net's own pace */
  lookAgainMs: number
}

export function createEsimTrackingActivities(context: Context): Activities {
  const { sql } = context
  const notices = createEsimNotices(context)

  return {
    async refreshEsims({ orderId, asOf }) {
      const { ended, givenBack } = await look(orderId, new Date(asOf), false)
      return { ended, givenBack }
    },

    /** An attempt's scheduled time is the workflow's clock, skipped or not. */
    async watchEsims({ orderId }) {
      const at = new Date(activityInfo().currentAttemptScheduledTimestampMs)
      // The watch begins right after the provider was asked: nothing can be new, unless it had to wait for a worker.
      const justAsked = activityInfo().attempt === 1 && Date.now() - at.getTime() < milliseconds.minute
      const { ended, givenBack, lookAgainMs } = await look(orderId, at, justAsked)
      if (!ended) throw failure('EsimStillLives', { nextRetryDelay: lookAgainMs })
      if (givenBack) return { recorded: false }
      await moveOrder(sql, orderId, ['delivered'], { status: 'ended', ended_at: at })
      return { recorded: true }
    },
  }

  async function look(orderId: string, at: Date, justAsked: boolean): Promise<Look> {
    const order = await knownOrder(sql, orderId)
    const esims = await listEsims(context, order)
    const looks: Look[] = []
    for (const esim of esims) looks.push(justAsked ? rememberedLook(esim, at) : await lookAt(esim, order, at))
    return {
      ended: looks.every(({ ended }) => ended),
      givenBack: looks.length > 0 && looks.every(({ givenBack }) => givenBack),
      lookAgainMs: Math.min(periods.order.esimPollMs, ...looks.map(({ lookAgainMs }) => lookAgainMs)),
    }
  }

  async function lookAt(esim: StoredEsim, order: OrderRow, at: Date): Promise<Look> {
    if (isOver(esim.state)) return rememberedLook(esim, at)
    const provider = context.esimProviders[esim.provider as EsimProviderId]
    const status = await withFailureTypes(esimLook, () => provider.getStatus(esim.esimRef))
    if (status.state !== 'unknown') await recordEsimStatus(sql, esim.id, status, at)
    const allSent = await notices.send(esim, order, dueNotices(status, at), status, at)
    return {
      ended: isOver(status.state),
      givenBack: givenBack(status.state),
      lookAgainMs: allSent ? untilNextDate(status.expiresAt, at) : noticeRetryMs,
    }
  }
}

const rememberedLook = ({ state, expiresAt }: StoredEsim, at: Date): Look => ({
  ended: isOver(state),
  givenBack: givenBack(state),
  lookAgainMs: untilNextDate(expiresAt?.toISOString() ?? null, at),
})

const givenBack = (state: EsimStatus['state']): boolean => state === 'cancelled'
const isOver = (state: EsimStatus['state']): boolean => state === 'expired' || state === 'cancelled'

/** U3: what the person is told about an eSIM in this state at this time. */
export function dueNotices(status: EsimStatus, at: Date): EsimNotice[] {
  if (status.state === 'expired') return ['expired']
  // What was given back concerns nobody, and what the provider does not know decides nothing.
  if (status.state === 'cancelled' || status.state === 'unknown') return []
  const due: EsimNotice[] = []
  if (status.state === 'in_use' || status.usedBytes > 0) due.push('in_use')
  if (status.state === 'used_up') due.push('used_up')
  else if (status.totalBytes !== null && status.usedBytes >= periods.order.lowDataShare * status.totalBytes)
    due.push('low_data')
  const leftMs = status.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(status.expiresAt) - at.getTime()
  // A provider may be late to say that it is over; then the last day is over, too.
  if (leftMs > 0 && leftMs <= periods.order.lastDayMs) due.push('last_day')
  return due
}

/** A little after the date itself, so that a clock ahead of the provider's does not ask in vain. */
function untilNextDate(expiresAt: string | null, at: Date): number {
  const expiry = expiresAt === null ? Number.NaN : Date.parse(expiresAt)
  if (expiry <= at.getTime()) return expiryLagMs
  const dates = [expiry - periods.order.lastDayMs, expiry].map((date) => date + 1000 - at.getTime())
  return Math.min(periods.order.esimPollMs, ...dates.filter((ms) => ms > 0))
}
