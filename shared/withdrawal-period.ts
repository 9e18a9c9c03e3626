/** The periods of a withdrawal: policy/withdrawal.ts has their sources. They read no clock, so workflows may use them. */
import { milliseconds, periods } from '../policy/periods.ts'
import { plusDays, plusMs, startOfDay } from './calendar.ts'

/** The last day ends everywhere on earth half a day after it ends in UTC. */
const lastTimeZoneMs = 12 * milliseconds.hour

/** When the period for a withdrawal from a contract of this time ends. */
export function withdrawalPeriodEnds(concludedAt: Date): Date {
  let lastDay = plusDays(startOfDay(concludedAt), periods.withdrawal.days)
  while (lastDay.getUTCDay() === 0 || lastDay.getUTCDay() === 6) lastDay = plusDays(lastDay, 1)
  return plusMs(plusDays(lastDay, 1), lastTimeZoneMs)
}

/** By when the money has to be on its way back. */
export const refundDueAfter = (statedAt: Date): Date => plusDays(statedAt, periods.withdrawal.refundWithinDays)
