/** The prepaid balances at the eSIM providers: watched before they are empty, and compared with what we have bought. */
import { heartbeat } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import {
  type BalanceReading,
  daysLeft,
  findReadingBefore,
  hasRisen,
  listNewestReadings,
  readSpending,
  recordReading,
} from '../../db/reconciliation/balances.ts'
import { deleteDifferences, startOfTheOneBefore } from '../../db/reconciliation/reconciliations.ts'
import { periods } from '../../policy/periods.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { ReconciliationActivities } from '../../workflows/reconciliation/reconciliation.contract.ts'
import { asFailure, esimFailureTypes } from '../failures.ts'
import { createTally, differs, whole } from './tally.ts'

type Activities = Pick<ReconciliationActivities, 'readProviderBalances'>

const lowTask = 'provider_balance_low'
/** how often the balance is read until no purchase is counted meanwhile */
const maxReadings = 5

export function createBalanceReadings(context: Context): Activities {
  const { sql } = context

  return {
    async readProviderBalances({ reconciliationId, asOf }) {
      const at = new Date(asOf)
      const tally = createTally(sql, reconciliationId ?? '')
      if (reconciliationId !== null) await deleteDifferences(sql, reconciliationId, 'provider_remainder')
      const before = reconciliationId === null ? undefined : await startOfTheOneBefore(sql, reconciliationId)
      const readNow = new Set<string>()
      let firstError: unknown
      for (const provider of Object.values(context.esimProviders)) {
        heartbeat()
        try {
          const { reading, underWayMicros } = await read(provider, at)
          tally.seen(1)
          readNow.add(provider.id)
          if (before) tally.note(await missing(reading, underWayMicros, before))
        } catch (error) {
          // A provider that is down must not prevent the reading of the other.
          firstError ??= error
        }
      }
      const readings = await listNewestReadings(sql, plusMs(at, -periods.reconciliation.spendingOverMs))
      for (const reading of readings) {
        const { provider } = reading.newest
        const task = { kind: lowTask, subjectId: provider, at }
        const days = daysLeft(reading)
        if (days !== null && days < periods.reconciliation.balanceLastsDays)
          await raiseOperatorTask(sql, { ...task, detail: `lasts for ${days} days; cure: top_up_balance` })
        // Nothing may have been spent because too little is left.
        else if (readNow.has(provider) && (days !== null || hasRisen(reading)))
          await resolveOperatorTask(sql, { ...task, by: 'reconciliation' })
      }
      const compared = await tally.close()
      if (firstError !== undefined) throw firstError
      const balances = readings.map((reading) => {
        const { provider, currency, balanceMicros } = reading.newest
        return { provider, currency, balanceMicros, daysLeft: daysLeft(reading) }
      })
      return { ...compared, balances }
    },
  }

  /** The balance, and our own count of what it has paid for: the next reading compares the changes of both. */
  async function read(provider: EsimProvider, at: Date): Promise<{ reading: BalanceReading; underWayMicros: number }> {
    try {
      for (let readings = 1, before = await readSpending(sql, provider.id); ; readings += 1) {
        const { amountMicros, currency } = await provider.balance()
        const after = await readSpending(sql, provider.id)
        const { spentMicros } = before
        const meanwhileMicros = after.spentMicros - spentMicros
        before = after
        if (meanwhileMicros !== 0 && readings < maxReadings) continue
        const reading = { provider: provider.id, readAt: at, balanceMicros: amountMicros, currency, spentMicros }
        await recordReading(sql, reading)
        // Whether the balance had paid for what was counted meanwhile, nobody knows.
        return { reading, underWayMicros: after.underWayMicros + meanwhileMicros }
      }
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      throw asFailure(error, esimFailureTypes)
    }
  }

  /** The amount that has left the balance since the last reconciliation without a purchase of ours. */
  async function missing(reading: BalanceReading, underWayMicros: number, before: Date) {
    const { provider, currency, readAt } = reading
    const earlier = await findReadingBefore(sql, provider, plusMs(before, 1))
    if (!earlier || earlier.currency !== currency) return []
    const bought = reading.spentMicros - earlier.spentMicros
    const fallen = earlier.balanceMicros - reading.balanceMicros
    if (fallen === bought) return []
    // With the reading: another one may have a remainder of the same size.
    const since = earlier.readAt.toISOString()
    const reason = `fell by ${fallen} millionths of ${currency}, bought for ${bought}, since ${since}`
    const rule = fallen < bought ? 'paid_in' : fallen - bought <= underWayMicros ? 'in_flight' : null
    return [differs('provider_remainder', { id: provider, part: whole, at: readAt }, reason, rule)]
  }
}
