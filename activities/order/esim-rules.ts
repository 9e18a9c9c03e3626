/** Conclusions from a delivered eSIM's status: its end, whether anything of it was used, and which notices are due. */
import { numberOrNull } from '../../db/connection/bigints.ts'
import type { StoredEsim } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import type { EsimNotice } from '../../mails/order/esim-status.tsx'
import { periods } from '../../policy/periods.ts'
import type { EsimStatus } from '../../providers/esim.ts'
import { isoOrNull, plusMs } from '../../shared/calendar.ts'

/** `by_provider`: without our request. Source of the states: readings.ts of each provider */
export type Ending = 'expired' | 'returned' | 'by_provider'

/** a provider may report late that an eSIM has expired */
const expiryLagMs = 60 * 60_000

/** Whether its provider says that nothing of it comes back. */
export const isOver = (state: EsimStatus['state']): boolean => state === 'expired' || state === 'cancelled'

/** How the eSIM has ended; undefined while it lives. */
export function endingOf({ returnAsked }: Pick<StoredEsim, 'returnAsked'>, { state }: EsimStatus): Ending | undefined {
  if (state === 'expired') return 'expired'
  if (state !== 'cancelled') return undefined
  return returnAsked ? 'returned' : 'by_provider'
}

/** The status in which an eSIM was last seen. */
export const storedStatus = ({ state, totalBytes, usedBytes, activatedAt, expiresAt }: StoredEsim): EsimStatus => ({
  state,
  totalBytes: numberOrNull(totalBytes),
  usedBytes: Number(usedBytes),
  activatedAt: isoOrNull(activatedAt),
  expiresAt: isoOrNull(expiresAt),
})

/** Whether the customer has had nothing of an eSIM, and could still have installed it. */
export function isUnused(
  esim: Pick<StoredEsim, 'usedBytes' | 'activatedAt' | 'expiresAt' | 'unusedUntil'>,
  status: EsimStatus,
  { delivered_at }: Pick<OrderRow, 'delivered_at'>,
  at: Date,
): boolean {
  const isTouched = esim.usedBytes > 0n || status.usedBytes > 0
  const hasStarted = (esim.activatedAt ?? esim.expiresAt ?? status.activatedAt ?? status.expiresAt) !== null
  const installableUntil = esim.unusedUntil ?? plusMs(delivered_at ?? at, periods.order.unusedValidMs)
  return !isTouched && !hasStarted && at < installableUntil
}

/** U3: package updates are sent once. Returns the notices that are due for an eSIM in this state at this time. */
export function dueNotices(status: EsimStatus, at: Date): EsimNotice[] {
  if (status.state === 'expired') return ['expired']
  if (status.state === 'cancelled' || status.state === 'unknown') return []
  const due: EsimNotice[] = []
  if (status.state === 'in_use' || status.usedBytes > 0) due.push('in_use')
  if (status.state === 'used_up') due.push('used_up')
  // A provider that reports a volume of 0 does not know the volume.
  else if (status.totalBytes && status.usedBytes >= periods.order.lowDataShare * status.totalBytes) due.push('low_data')
  const leftMs = status.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(status.expiresAt) - at.getTime()
  // An eSIM may have expired although its provider does not report it yet.
  if (leftMs > 0 && leftMs <= periods.order.lastDayMs) due.push('last_day')
  return due
}

/** Milliseconds until a second after the next date, in case our clock is ahead of the provider's. */
export function untilNextDate(expiresAt: string | null, at: Date): number {
  const expiry = expiresAt === null ? Number.NaN : Date.parse(expiresAt)
  if (expiry <= at.getTime()) return expiryLagMs
  const dates = [expiry - periods.order.lastDayMs, expiry].map((date) => date + 1000 - at.getTime())
  return Math.min(periods.order.esimPollMs, ...dates.filter((ms) => ms > 0))
}
