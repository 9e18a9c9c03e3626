/** Compares the eSIM providers' books with our placements. */
import { heartbeat } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import { findErased } from '../../db/erasure/erased-references.ts'
import { listEsims } from '../../db/order/esims.ts'
import {
  type BookedPlacement,
  confirmPlacements,
  findPlacements,
  listUnconfirmed,
  type UnconfirmedPlacement,
} from '../../db/reconciliation/placements.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import type { Explanation } from '../../policy/reconciliation.ts'
import type { EsimProvider, ListedOrder } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import type {
  Compared,
  ReconciliationActivities,
  ReconciliationStepInput,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { asFailure, esimFailureTypes } from '../failures.ts'
import { isOver } from '../order/esim-rules.ts'
import { topUpApplied } from '../order/top-up.ts'
import { createTally, differs, type FoundDifference, isUnexplained } from './tally.ts'

type Activities = Pick<ReconciliationActivities, 'compareProvider'>
type Tally = ReturnType<typeof createTally>

const { graceMs } = periods.reconciliation
const pageSize = 200
/** more than this are missing from the list by a fault of the list */
const maxMissing = 1_000
const endedUnpaid = 'esim_ended_unpaid_back'
const aliveAfterRefund = 'esim_alive_after_refund'
/** The order has no use of its eSIM. */
const withoutEsim = ['refunded', 'cancelled', 'unpaid']
/** The order is done because its customer has the eSIM. */
const withEsim = ['delivered', 'ended']
const lookedAtWithinMs = periods.order.esimPollMs + milliseconds.hour

export function createProviderComparison(context: Context): Activities {
  const { sql, cipher } = context

  return {
    async compareProvider({ provider: id, ...input }): Promise<Compared> {
      const provider = context.esimProviders[id]
      const at = new Date(input.asOf)
      const tally = createTally(sql, input.reconciliationId)
      let readable = 0
      let unreadable = 0
      const pages = provider.listOrders({ from: input.from, to: input.asOf }, () => {
        unreadable += 1
      })
      const topUps = new Map<string, string>()
      // The eSIMs of one order may be on several pages: it has ended when none of them says otherwise.
      const notEnded = new Set<string>()
      const ended = new Map<string, FoundDifference>()
      const alive: FoundDifference[] = []
      // Placements are marked with the real time: a run of skipped time would mark them for its future.
      const startedAt = new Date()
      for (;;) {
        const { value: page, done } = await ask(() => pages.next())
        if (done) break
        heartbeat()
        readable += page.length
        const listed = byOrder(page)
        tally.seen(listed.length)
        for (const { orderNo, endedUnused } of listed) if (!endedUnused) notEnded.add(orderNo)
        const found = await examine(provider, listed, topUps, at)
        for (const each of found) {
          if (each.kind === endedUnpaid) ended.set(each.part, each)
          else if (each.kind === aliveAfterRefund && isUnexplained(each)) alive.push(each)
          else tally.note([each])
        }
      }
      tally.note([...ended.values()].filter(({ part }) => !notEnded.has(part)))
      // Both sides were not read at the same moment: what a customer has returned meanwhile is asked about again.
      for (const each of alive) {
        heartbeat()
        if (!(await hasEnded(provider, each.part))) tally.note([each])
      }
      // The format of the list has changed: what is left of it says nothing about the rest.
      if (unreadable > readable) throw failure('ProviderUnavailable', { code: 'unreadable_orders' })
      await seekUnconfirmed(provider, tally, input, startedAt)
      return tally.close()
    },
  }

  async function ask<Answer>(call: () => Promise<Answer>): Promise<Answer> {
    try {
      return await call()
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      throw asFailure(error, esimFailureTypes)
    }
  }

  /** Whether a provider says by now that all eSIMs of an order are over. One that says nothing leaves what it has listed. */
  async function hasEnded(provider: EsimProvider, orderNo: string): Promise<boolean> {
    try {
      for (const { esimRef } of await provider.getEsims(orderNo))
        if (!isOver((await provider.getStatus(esimRef)).state)) return false
      return true
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return false
    }
  }

  /** @param topUps the number of the first top-up under each reference: our placement of a top-up has none */
  async function examine(
    { id }: EsimProvider,
    listed: readonly ListedOrder[],
    topUps: Map<string, string>,
    at: Date,
  ): Promise<FoundDifference[]> {
    const references = listed.flatMap(({ clientRef }) => clientRef ?? [])
    const placements = await findPlacements(sql, id, references)
    const byReference = new Map(placements.map((placement) => [placement.client_ref, placement]))
    const erased = await findErased(
      sql,
      cipher,
      references.filter((reference) => !byReference.has(reference)),
      at,
    )
    const confirmed = listed.flatMap((order) => {
      const placement = byReference.get(order.clientRef ?? '')
      if (!placement || isAnother(order, placement)) return []
      return [
        {
          id: placement.id,
          chargedMicros: order.unitCostMicros === null ? null : order.unitCostMicros * placement.quantity,
        },
      ]
    })
    await confirmPlacements(sql, confirmed, new Date())
    return listed.flatMap((order) => {
      const placement = byReference.get(order.clientRef ?? '')
      if (placement && order.kind === 'top_up') {
        const first = topUps.get(placement.client_ref) ?? order.orderNo
        topUps.set(placement.client_ref, first)
        return compare(order, { ...placement, provider_order_no: first }, at)
      }
      if (placement) return compare(order, placement, at)
      const isErased = erased.has(order.clientRef ?? '')
      return [strangeEsim(id, order, isErased, at)]
    })
  }

  /**
   * Asks about each placement that was not in the list: a list may lag behind, and "not listed" is not yet "not there".
   */
  async function seekUnconfirmed(
    provider: EsimProvider,
    tally: Tally,
    { from, asOf }: ReconciliationStepInput,
    startedAt: Date,
  ): Promise<void> {
    const to = plusMs(new Date(asOf), -provider.settling.soughtForMs)
    let asked = 0
    for (let after: UnconfirmedPlacement | undefined; ; ) {
      const page = await listUnconfirmed(sql, {
        provider: provider.id,
        from: new Date(from),
        to,
        confirmedSince: startedAt,
        after,
        limit: pageSize,
      })
      for (const placement of page) {
        heartbeat()
        asked += 1
        if (asked > maxMissing) throw failure('ProviderUnavailable', { code: 'incomplete_list' })
        if (await isThere(provider, placement)) {
          await confirmPlacements(sql, [{ id: placement.id, chargedMicros: null }], new Date())
          continue
        }
        const subject = { id: placement.order_id, part: placement.client_ref, at: placement.placed_after }
        const reason = `${provider.id}: ${placement.provider_order_no ?? placement.client_ref}`
        const rule = withoutEsim.includes(placement.order_status) ? 'given_back' : null
        tally.note([differs('placement_unknown', subject, reason, rule)])
      }
      after = page.at(-1)
      if (page.length < pageSize) return
    }
  }

  async function isThere(provider: EsimProvider, placement: UnconfirmedPlacement): Promise<boolean> {
    try {
      return await isKnown(provider, placement)
    } catch (error) {
      if (isProviderFailure(error, 'unknown_order')) return false
      if (isProviderFailure(error, 'still_allocating')) return true
      // The provider answers about it, in a form that nobody can read: its list has shown that to operators.
      if (isProviderFailure(error, 'malformed_reply')) return true
      throw isProviderFailure(error) ? asFailure(error, esimFailureTypes) : error
    }
  }

  async function isKnown(provider: EsimProvider, placement: UnconfirmedPlacement): Promise<boolean> {
    if (placement.parent_order_id) {
      const parent = { id: placement.parent_order_id, account_id: placement.account_id }
      const esim = (await listEsims(context, parent)).find(({ id }) => id === placement.esim_id)
      // Without the eSIM nobody can be asked about a top-up of it.
      return !esim || (await provider.hasTopUp({ clientRef: placement.client_ref, esimRef: esim.esimRef }))
    }
    const orderNo = placement.provider_order_no ?? (await orderNoOf(provider, placement))
    if (orderNo === undefined) return false
    await provider.getEsims(orderNo)
    return true
  }
}

/** Nothing of ours says what it is called there. */
async function orderNoOf(provider: EsimProvider, placement: UnconfirmedPlacement): Promise<string | undefined> {
  const { client_ref: clientRef, placed_after } = placement
  return (await provider.findOrder({ clientRef, placedAfter: placed_after.toISOString() }))?.orderNo
}

const createdAt = ({ createdAt: time }: ListedOrder, at: Date): Date => (time ? new Date(time) : at)

/** A second order of the provider under one reference of ours. */
const isAnother = (order: ListedOrder, { provider_order_no }: BookedPlacement): boolean =>
  provider_order_no !== null && provider_order_no !== order.orderNo

function strangeEsim(provider: string, order: ListedOrder, isErased: boolean, at: Date): FoundDifference {
  const made = createdAt(order, at)
  const rule: Explanation | null = isErased
    ? 'erased_person'
    : order.alive === false
      ? 'given_back'
      : at < plusMs(made, graceMs)
        ? 'younger_than_promise'
        : null
  const subject = { id: `${provider}:${order.clientRef ?? order.orderNo}`, part: order.orderNo, at: made }
  return differs('esim_without_order', subject, `${order.kind} ${order.orderNo}`, rule)
}

function compare(order: ListedOrder, placement: BookedPlacement, at: Date): FoundDifference[] {
  // An order may have been placed more than once, here or at the other provider.
  const subject = {
    id: placement.order_id,
    part: order.orderNo,
    at: placement.placed_after,
    tasks: placement.tasks,
  }
  const inFlight: Explanation | null =
    placement.state === 'placing' || placement.state === 'releasing' ? 'in_flight' : null
  if (isAnother(order, placement)) {
    const rule = order.alive === false ? 'given_back' : inFlight
    const reason = `${order.orderNo} beside ${placement.provider_order_no}`
    return [differs('placed_twice', subject, reason, rule)]
  }
  const found: FoundDifference[] = []
  // Its customer has the eSIMs of another provider.
  const isReplaced = isGivenUp(placement) && placement.filled_elsewhere
  if (order.kind === 'order' && order.alive === true && isReplaced) {
    const reason = `${order.orderNo} is alive, which our books call ${placement.state}, beside that of another provider`
    const rule = at < plusMs(placement.placed_after, graceMs) ? 'younger_than_promise' : null
    found.push(differs('placed_twice', subject, reason, rule))
  }
  if (order.kind === 'top_up' && order.alive === true && isGivenUp(placement) && placement.reason !== topUpApplied) {
    const reason = `top-up ${order.orderNo} was applied, which our books call ${placement.state}`
    const rule = at < plusMs(placement.placed_after, graceMs) ? 'younger_than_promise' : null
    if (withoutEsim.includes(placement.order_status)) found.push(differs(aliveAfterRefund, subject, reason, rule))
  }
  const expected = numberOrNull(placement.expected_cost_micros)
  const { unitCostMicros: unit } = order
  // Whether Airalo's `net_price` is that of one eSIM or of all is not documented.
  if (unit !== null && expected !== null && unit * placement.quantity !== expected && unit !== expected) {
    const reason = `charged ${unit} millionths of ${order.costCurrency} for each of ${placement.quantity}, expected ${expected} in all`
    found.push(differs('provider_cost_differs', subject, reason))
  }
  if (order.kind === 'order' && order.alive === true && withoutEsim.includes(placement.order_status)) {
    const reason = `${order.orderNo} of an order that is ${placement.order_status}`
    const rule = inFlight ?? (at < plusMs(placement.placed_after, graceMs) ? 'younger_than_promise' : null)
    found.push(differs(aliveAfterRefund, subject, reason, rule))
  }
  if (order.kind === 'order' && order.endedUnused && !isReplaced && owesMoney(placement)) {
    const reason = `${order.orderNo} of an order that is ${placement.order_status}`
    // The order's run asks about its eSIMs once a day, and gives the money back.
    const isFollowed = placement.checked_at !== null && at < plusMs(placement.checked_at, lookedAtWithinMs)
    found.push(differs(endedUnpaid, subject, reason, inFlight ?? (isFollowed ? 'in_flight' : null)))
  }
  return found
}

/** By our books the provider has nothing of it: it refused the order, or has it back. */
const isGivenUp = ({ state }: BookedPlacement): boolean => state === 'refused' || state === 'released'

/**
 * Whether a delivered order, whose eSIMs are unused as far as we know, has to be refunded. An operator's refund of an
 * order whose eSIMs were returned is a decision.
 */
function owesMoney(placement: BookedPlacement): boolean {
  const { order_status, gross_minor, refunded_minor, taken_back, is_unused, returned } = placement
  if (!withEsim.includes(order_status) || !is_unused || taken_back || refunded_minor >= gross_minor) return false
  return refunded_minor === 0 || !returned
}

/** eSIM Access lists an order of several eSIMs once for each: the order is alive while one of them is. */
export function byOrder(lines: readonly ListedOrder[]): ListedOrder[] {
  const orders = new Map<string, ListedOrder>()
  for (const line of lines) {
    const key = `${line.kind} ${line.orderNo} ${line.clientRef}`
    const other = orders.get(key)
    const both = other && {
      alive: eitherAlive(other.alive, line.alive),
      endedUnused: other.endedUnused && line.endedUnused,
    }
    orders.set(key, { ...line, ...both })
  }
  return [...orders.values()]
}

const eitherAlive = (one: boolean | null, other: boolean | null): boolean | null =>
  one === true || other === true ? true : one === null || other === null ? null : false
