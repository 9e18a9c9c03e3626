/**
 * The periods of a withdrawal: policy/withdrawal.ts has their sources. They read no clock, so workflows may use them.
 */
import { milliseconds, periods } from '../policy/periods.ts'
import { plusDays, plusMs, startOfDay } from './calendar.ts'

/** The time zones of the earth, by what their clocks are ahead of UTC. */
const westernmostMs = -12 * milliseconds.hour
const easternmostMs = 14 * milliseconds.hour

/**
 * When the period for a withdrawal from a contract of this time ends: the latest end in any time zone, because the days
 * are those of the buyer, whose zone nobody knows.
 */
export function withdrawalPeriodEnds(concludedAt: Date): Date {
  let latest = new Date(0)
  const newestDay = startOfDay(plusMs(concludedAt, easternmostMs))
  for (let day = startOfDay(plusMs(concludedAt, westernmostMs)); day <= newestDay; day = plusDays(day, 1)) {
    // Of the zones in which it was this day, the westernmost ends its last day last.
    const aheadMs = Math.max(westernmostMs, day.getTime() - concludedAt.getTime())
    const end = plusMs(endOfPeriod(day), -aheadMs)
    if (end > latest) latest = end
  }
  return latest
}

/**
 * Regulation 1182/71, Article 3: the first day does not count, and a period does not end on a weekend, nor on a public
 * holiday of the buyer's country, for which everybody gets the longest row of days without work.
 */
function endOfPeriod(firstDay: Date): Date {
  let lastDay = plusDays(firstDay, periods.withdrawal.days)
  while (lastDay.getUTCDay() === 0 || lastDay.getUTCDay() === 6) lastDay = plusDays(lastDay, 1)
  return plusDays(lastDay, 1 + periods.withdrawal.publicHolidayDays)
}

/** By when the money has to be on its way back. */
export const refundDueAfter = (statedAt: Date): Date => plusDays(statedAt, periods.withdrawal.refundWithinDays)
