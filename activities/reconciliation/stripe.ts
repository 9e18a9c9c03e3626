/** Stripe's disputes, balance and payouts. */
import { heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { findErased } from '../../db/erasure/erased-references.ts'
import { listProcessorBalances } from '../../db/reconciliation/balances.ts'
import { findDisputed, listOpenDisputes } from '../../db/reconciliation/payments.ts'
import { periods } from '../../policy/periods.ts'
import type { Explanation } from '../../policy/reconciliation.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { BookedDispute, BookedTransaction } from '../../providers/stripe/books.ts'
import type { Dispute } from '../../providers/stripe/disputes.ts'
import { plusMs } from '../../shared/calendar.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import type { CurrencySums, ReconciliationActivities } from '../../workflows/reconciliation/reconciliation.contract.ts'
import { paymentMark } from '../order/payment/payment-mark.ts'
import { askAboutPayment } from '../order/provider-alarm.ts'
import { createTally, differs, type FoundDifference, minor, whole } from './tally.ts'

type Activities = Pick<ReconciliationActivities, 'compareDisputes' | 'compareProcessorBalance' | 'comparePayouts'>

const { graceMs } = periods.reconciliation
/** how often the balance is read until it does not change meanwhile */
const maxReadings = 5

type Sums = Omit<CurrencySums, 'currency' | 'openingMinor' | 'closingMinor' | 'remainderMinor'>

/** The line of each reporting category: docs.stripe.com/reports/reporting-categories */
const lines: Record<string, keyof Sums> = {
  charge: 'grossMinor',
  charge_failure: 'grossMinor',
  refund: 'refundsMinor',
  refund_failure: 'refundsMinor',
  partial_capture_reversal: 'refundsMinor',
  dispute: 'disputesMinor',
  dispute_reversal: 'disputesMinor',
  fee: 'feesMinor',
  network_cost: 'feesMinor',
  payout: 'payoutsMinor',
  payout_reversal: 'payoutsMinor',
}
/** money that leaves the balance is shown as a positive number in its line */
const leaving: readonly (keyof Sums)[] = ['refundsMinor', 'disputesMinor', 'feesMinor', 'payoutsMinor']

/** Stripe's clock may be behind ours. */
export const balanceReadUntil = (at: Date): Date => plusMs(at, -graceMs)

const nothing = (): Sums => ({
  grossMinor: 0,
  refundsMinor: 0,
  disputesMinor: 0,
  feesMinor: 0,
  otherMinor: 0,
  payoutsMinor: 0,
})

interface KnownDispute {
  disputeId: string
  orderId: string
  /** of one that is older than the list: a difference of then would be carried over, though it is asked about each time */
  at?: Date
}

export function createStripeComparison(context: WorkerContext): Activities {
  const { sql, stripe, cipher } = context
  const signals = createOrderSignals(context)

  /** The pages of a list, each asked for as `askAboutPayment` does. */
  async function* read<Page>(pages: AsyncGenerator<Page>): AsyncGenerator<Page> {
    for (;;) {
      const { value, done } = await askAboutPayment(context, () => pages.next())
      if (done) return
      heartbeat()
      yield value
    }
  }

  return {
    async compareDisputes({ reconciliationId, from, asOf }) {
      const at = new Date(asOf)
      const tally = createTally(sql, reconciliationId)
      const doubtful: KnownDispute[] = []
      const listed = new Set<string>()
      for await (const page of read(stripe.bookedDisputes(new Date(from), at))) {
        tally.seen(page.length)
        for (const { disputeId } of page) listed.add(disputeId)
        tally.note(await unknownDisputes(page, doubtful, at))
      }
      // A bank may take longer than the list looks back, and the event of its decision be lost.
      for (const { stripe_dispute_id: disputeId, order_id: orderId } of await listOpenDisputes(sql))
        if (!listed.has(disputeId) && orderId !== null) doubtful.push({ disputeId, orderId, at })
      // Both sides were not read at the same moment: what differs is read again at the end.
      for (const each of doubtful) tally.note(await differentState(each, at))
      return tally.close()
    },

    async compareProcessorBalance({ reconciliationId, asOf }) {
      const at = new Date(asOf)
      const tally = createTally(sql, reconciliationId)
      const before = await listProcessorBalances(sql)
      const after = before.length > 0 ? new Date(Math.min(...before.map(({ read_until }) => +read_until))) : undefined
      const until = balanceReadUntil(at)
      if (after && after >= until) return { ...(await tally.close()), sums: [] }
      const sums = new Map<string, Sums>()
      for await (const page of read(stripe.transactionsCreated(after, until))) {
        tally.seen(page.length)
        for (const transaction of page) add(sums, transaction)
      }
      const closing = await closingBalances(until)
      const openings = new Map(before.map(({ currency, balance_minor }) => [currency, Number(balance_minor)]))
      const all = [...new Set([...closing.keys(), ...sums.keys(), ...openings.keys()])].sort()
      const found = all.map((currency): CurrencySums => {
        const its = sums.get(currency) ?? nothing()
        const change =
          its.grossMinor - its.refundsMinor - its.disputesMinor - its.feesMinor + its.otherMinor - its.payoutsMinor
        const closingMinor = closing.get(currency) ?? 0
        // The first reading takes the balance as it is.
        const openingMinor = openings.get(currency) ?? (after ? 0 : closingMinor - change)
        return { currency, ...its, openingMinor, closingMinor, remainderMinor: closingMinor - openingMinor - change }
      })
      const differences = found
        .filter(({ remainderMinor }) => remainderMinor !== 0)
        .map(({ currency, remainderMinor }) =>
          differs(
            'processor_remainder',
            { id: `stripe:${currency}`, part: whole, at },
            // With the reading: another one may have a remainder of the same size.
            `${minor(remainderMinor, currency)} since ${after?.toISOString()}`,
          ),
        )
      tally.note(differences)
      return { ...(await tally.close()), sums: found }
    },

    async comparePayouts({ reconciliationId, from, asOf }) {
      const tally = createTally(sql, reconciliationId)
      for await (const page of read(stripe.bookedPayouts(new Date(from), new Date(asOf)))) {
        tally.seen(page.length)
        for (const { payoutId, amountMinor, currency, automatic, inProgress, failure, createdAt } of page) {
          heartbeat()
          if (failure !== null) {
            const reason = `${minor(amountMinor, currency)}: ${failure}`
            tally.note([differs('payout_failed', { id: payoutId, part: whole, at: createdAt }, reason)])
            continue
          }
          if (!automatic) continue
          const paidOut = await askAboutPayment(context, () => stripe.paidOutMinor(payoutId))
          if (paidOut === amountMinor) continue
          const reason = `paid out ${minor(amountMinor, currency)}, its transactions have ${minor(paidOut, currency)}`
          const rule = inProgress ? 'in_flight' : null
          tally.note([differs('payout_differs', { id: payoutId, part: whole, at: createdAt }, reason, rule)])
        }
      }
      return tally.close()
    },
  }

  /** The order's run is signalled to read it once more. */
  async function differentState({ disputeId, orderId, at }: KnownDispute, now: Date): Promise<FoundDifference[]> {
    heartbeat()
    const dispute = await askAboutPayment(context, () => shownDispute(disputeId))
    const { known } = await findDisputed(sql, { disputeIds: [disputeId], paymentIntentIds: [] })
    const stored = known.get(disputeId)
    if (stored === undefined || stored.state === dispute?.status) return []
    if (!dispute) {
      // Asked again by the next comparisons: one of Stripe's machines may not know it at the moment.
      const reason = `${disputeId} is not known there, our books say ${stored.state}`
      return [differs('dispute_state_differs', { id: orderId, part: disputeId, at: at ?? now }, reason, 'in_flight')]
    }
    await signals.dispute(orderId, disputeId)
    const reason = `${disputeId} is ${dispute.status}, our books say ${stored.state}`
    const subject = { id: orderId, part: disputeId, at: at ?? new Date(dispute.createdAt) }
    return [differs('dispute_state_differs', subject, reason)]
  }

  async function shownDispute(disputeId: string): Promise<Dispute | undefined> {
    try {
      return await stripe.getDispute(disputeId)
    } catch (error) {
      if (isProviderFailure(error, 'resource_missing')) return undefined
      throw error
    }
  }

  /** @param doubtful gets those that we know in another state */
  async function unknownDisputes(
    page: readonly BookedDispute[],
    doubtful: KnownDispute[],
    at: Date,
  ): Promise<FoundDifference[]> {
    const disputeIds = page.map(({ disputeId }) => disputeId)
    const paymentIntentIds = page.flatMap(({ paymentIntentId }) => paymentIntentId ?? [])
    const { known, orderOf, withTask } = await findDisputed(sql, { disputeIds, paymentIntentIds })
    for (const { disputeId, status } of page) {
      const stored = known.get(disputeId)
      if (stored !== undefined && stored.state !== status) doubtful.push({ disputeId, orderId: stored.orderId })
    }
    const strange = page.filter(({ disputeId }) => !known.has(disputeId))
    const erased = await findErased(
      sql,
      cipher,
      strange.flatMap(({ disputeId, paymentIntentId }) => [disputeId, ...(paymentIntentId ? [paymentIntentId] : [])]),
      at,
    )
    return strange.map((dispute) => {
      const { disputeId, paymentIntentId, createdAt } = dispute
      const orderId = orderOf.get(paymentIntentId ?? '')
      const isOurs = dispute.orderId !== null && dispute.mark === paymentMark(cipher, dispute.orderId)
      const rule: Explanation | null =
        erased.has(disputeId) || erased.has(paymentIntentId ?? '')
          ? 'erased_person'
          : !orderId && !isOurs
            ? 'not_ours'
            : at < plusMs(createdAt, graceMs)
              ? 'younger_than_promise'
              : withTask.has(disputeId)
                ? 'with_an_operator'
                : null
      return differs('dispute_unknown', { id: orderId ?? disputeId, part: disputeId, at: createdAt }, disputeId, rule)
    })
  }

  /** The balances at a time. */
  async function closingBalances(until: Date): Promise<Map<string, number>> {
    let balances = await askAboutPayment(context, () => stripe.balances())
    for (let reading = 1; ; reading += 1) {
      const since = new Map(balances)
      for await (const page of read(stripe.transactionsCreated(until, undefined))) {
        for (const { currency, netMinor } of page) since.set(currency, (since.get(currency) ?? 0) - netMinor)
      }
      const again = await askAboutPayment(context, () => stripe.balances())
      const isStill = [...again].every(([currency, amount]) => balances.get(currency) === amount)
      if (isStill || reading === maxReadings) return since
      balances = again
    }
  }
}

function add(sums: Map<string, Sums>, { category, amountMinor, feeMinor, currency }: BookedTransaction): void {
  const its = sums.get(currency) ?? nothing()
  const line = lines[category] ?? 'otherMinor'
  its[line] += leaving.includes(line) ? -amountMinor : amountMinor
  its.feesMinor += feeMinor
  sums.set(currency, its)
}
