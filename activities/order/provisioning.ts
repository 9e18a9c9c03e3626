/** Activities that buy eSIMs from a provider and return them. */
import { setTimeout as pause } from 'node:timers/promises'
import { activityInfo } from '@temporalio/activity'
import type { WorkerContext } from '../../context.ts'
import { violatedConstraint } from '../../db/connection/constraint.ts'
import { raiseOperatorTask, raiseUnlessSettled } from '../../db/operator-tasks.ts'
import { isReturnedForPart, noteReturnAsked } from '../../db/order/esims/returned-esims.ts'
import { esimsOfOneOrder, insertEsims, listEsims, type StoredEsim, setEsimsCancelled } from '../../db/order/esims.ts'
import { listDeliveredTopUps, moveOrder, type OrderRow } from '../../db/order/orders.ts'
import {
  beginAskingForReturn,
  claimPlacement,
  endAskingForReturn,
  type HeldPlacement,
  heldPlacement,
  listOffers,
  listPlacements,
  movePlacement,
  notePlaced,
  noteReturnsAsked,
  type Placement,
} from '../../db/order/placements.ts'
import { milliseconds } from '../../policy/periods.ts'
import { finalFor } from '../../providers/codes/esim.ts'
import {
  type EsimProvider,
  type EsimProviderId,
  type EsimState,
  isNew,
  type ProvidedEsim,
} from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure, failureCode, failureType } from '../../shared/failures.ts'
import { mapUntilFault } from '../../shared/map-until-fault.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import { type OrderActivities, orderStates } from '../../workflows/order/order.contract.ts'
import { asFailure, esimFailureTypes, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { askOnce } from './ask-once.ts'
import { isUnused } from './esim-rules.ts'
import { knownOrder } from './known-order.ts'
import { placementReference } from './placement-reference.ts'
import {
  cancelUnused,
  claimReturn,
  createProviderReturns,
  esimsAtOnce,
  leftToOperators,
  placeOrderOf,
  type ReturnRecord,
  unreturned,
} from './provider-returns.ts'
import { raiseUnlessRefunded } from './returned-esims.ts'
import { buyAtSeenPrice } from './seen-price.ts'
import { releaseTopUp, topUpParent } from './top-up.ts'

type Activities = Pick<OrderActivities, 'startProvisioning' | 'provision' | 'releaseProvision' | 'withdrawEsims'>

/** Most allocations take a second or two, so the attempt polls before it leaves the rest to the slower retry policy. */
const allocationPollsMs = [100, 200, 400, 800, 1600]

/**
 * How long the customer's eSIMs wait for the return of those that were bought beside them: while they wait, the return
 * is tried every few seconds. After that it is an operator's, and the order goes on.
 */
const duplicatesHoldMs = 15 * milliseconds.minute
/** Longer than one worker asks for a return: up to seven answers, for each of which the provider has 15 s. */
const askingTakesMs = 3 * milliseconds.minute

export function createOrderProvisioningActivities(context: WorkerContext): Activities {
  const { sql } = context
  const signals = createOrderSignals(context)
  const returns = createProviderReturns(context)
  const providerOf = (id: EsimProviderId): EsimProvider => context.esimProviders[id]

  return {
    async startProvisioning({ orderId, deliverBy }) {
      const approved = { status: 'provisioning', reason: null, deliver_by: new Date(deliverBy) } as const
      if (await moveOrder(sql, orderId, ['in_review'], approved)) return
      // The run that looks after closed orders may have refunded it before this run was started again.
      const { status } = await knownOrder(sql, orderId)
      // A run that was reset finds what it has bought and delivered since, and goes on from there.
      const isFurther = status === 'provisioning' || orderStates[status].customerHas === 'eSIMs'
      if (!isFurther) throw failure('OrderStateConflict', { code: status })
    },

    async provision({ orderId, reference }) {
      const clientRefOf = (provider: string): string => placementReference(reference, provider, activityInfo().attempt)
      const order = await knownOrder(sql, orderId)
      // A run that begins again after the delivery follows what is there, and buys nothing more.
      if (order.delivered_at) return
      if (order.parent_order_id) return topUpParent(context, order, clientRefOf)
      const placements = await listPlacements(sql, orderId)
      const begun = placements.find((placement) => !['refused', 'released'].includes(placement.state))
      if (begun?.state === 'provided') return
      if (begun?.state === 'releasing') throw failure('OrderStateConflict', { code: 'releasing' })
      const outcome = begun ? await fillOrder(order, begun, false) : 'refused'
      if (outcome === 'provided') return
      const asked = new Set(placements.map(({ provider }) => provider))
      await tryOffers(order, asked, outcome === 'refused' ? undefined : outcome, clientRefOf)
    },

    async withdrawEsims({ orderId, asOf, isForPart = false }) {
      const order = await knownOrder(sql, orderId)
      // No provider takes the data of a top-up back.
      if (order.parent_order_id) throw failure('EsimInUse', { code: 'top_up' })
      // An operator has them returned for a part of the price: for their return nothing else is owed.
      if (!isForPart && (await isReturnedForPart(sql, orderId)))
        throw failure('EsimInUse', { code: 'returned_for_part' })
      const esims = await listEsims(context, order)
      const seen = new Map<string, EsimState>()
      const states = await mapUntilFault(
        esims,
        async ({ provider, esimRef }) => {
          const status = await withFailureTypes(esimFailureTypes, () => providerOf(provider).getStatus(esimRef))
          seen.set(esimRef, status.state)
          return status
        },
        { concurrency: esimsAtOnce },
      )
      // No decision may depend on a state that the provider does not know.
      if (states.some(({ state }) => state === 'unknown'))
        throw failure('ProviderUnavailable', { code: 'unknown_state' })
      const at = new Date(asOf)
      const used = esims.filter((esim, index) => {
        const status = states[index]
        if (!status || isNew(status)) return false
        // What its provider ends by itself was perhaps used before.
        return status.state !== 'cancelled' || !(esim.returnAsked || isUnused(esim, status, order, at))
      })
      const gone = esims.filter((_esim, index) => states[index]?.state === 'cancelled')
      try {
        // What its provider was asked for one that is used now, and did not answer, was not done.
        for (const { id, returnAsked } of used) if (returnAsked) await noteReturnAsked(sql, id, null)
        // An earlier request has brought it back, and lost the answer.
        for (const { id, returnAsked } of gone) if (returnAsked) await setEsimsCancelled(sql, orderId, at, id)
        if (used.length > 0) throw failure('EsimInUse')
        // One that is gone takes no top-up with it: nobody has anything of it, whoever ended it, and whatever was paid
        // for it since.
        const left = esims.filter((esim) => !gone.includes(esim))
        if (left.length > 0) await claimReturn(sql, orderId, left, at)
        for (const { id, returnAsked } of gone) await noteGone(orderId, id, returnAsked, at)
        await returnAll(order, left, seen, at)
      } catch (error) {
        // Others may have gone back already.
        if (failureType(error) === 'EsimInUse') await raiseUnlessRefunded(sql, orderId, at)
        throw error
      }
      for (const { id } of await listDeliveredTopUps(sql, orderId)) await signals.settleTopUp(id)
      return leftToOperators(sql, orderId)
    },

    async releaseProvision({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      if (order.parent_order_id) await releaseTopUp(context, order, at)
      else for (const placement of await listPlacements(sql, orderId)) await returnPlacement(order, placement, at)
      return leftToOperators(sql, orderId)
    },
  }

  /**
   * Asks one provider after the other, the cheapest first, until one fills the order.
   * @param later the failure of a provider in `asked` that may fill the order another time
   */
  async function tryOffers(
    order: OrderRow,
    asked: Set<string>,
    later: ReturnType<typeof failure> | undefined,
    clientRefOf: (provider: string) => string,
  ): Promise<void> {
    let waitFor = later
    for (const offer of await listOffers(sql, order.package_code)) {
      if (asked.has(offer.provider)) continue
      const placement = await claimPlacement(sql, order.id, offer, clientRefOf(offer.provider))
      if (!placement) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
      const outcome = await fillOrder(order, placement, true)
      if (outcome === 'provided') return
      if (outcome !== 'refused') waitFor = outcome
    }
    throw waitFor ?? failure('OutOfStock')
  }

  /**
   * Places the order, or finds it if an earlier attempt has placed it, and stores its eSIMs.
   * @param isFirst no earlier attempt can have placed it
   * @returns `refused` when the provider cannot fill the order; a failure when it has not filled it but may later
   */
  async function fillOrder(
    order: OrderRow,
    placement: Placement,
    isFirst: boolean,
  ): Promise<'provided' | 'refused' | ReturnType<typeof failure>> {
    const provider = providerOf(placement.provider)
    const held = heldPlacement(order, placement, null)
    let orderNo = held.orderNo
    if (!orderNo && !isFirst) {
      const found = await returns.findPlacement(held)
      if (found.duplicates.length > 0) await returnDuplicates(order.id, placement, held, found.duplicates)
      orderNo = found.orderNo
    }
    if (!orderNo) {
      const place = () =>
        buyAtSeenPrice(context, provider, order, placement, (unitCostMicros) =>
          provider.placeOrder({ ...placeOrderOf(held), unitCostMicros }),
        )
      const asked = await askOnce(context, provider, placement, isFirst, finalFor.order, place)
      if (asked === 'refused') return asked
      if ('later' in asked) return asked.later
      orderNo = asked.answer.orderNo
    }
    if (!(await notePlaced(sql, placement.id, orderNo))) throw failure('OrderStateConflict', { code: 'releasing' })
    const esims = distinct(await waitForEsims(provider, orderNo))
    if (esims.length < order.quantity) throw failure('StillAllocating', { code: 'too_few_esims' })
    await insertEsims(context, order, placement, esims).catch(async (error: unknown) => {
      if (violatedConstraint(error) !== esimsOfOneOrder) throw error
      const task = { kind: 'esim_sold_twice', subjectId: order.id, detail: placement.provider, at: new Date() }
      await raiseUnlessSettled(sql, task)
      // The provider may correct it within the hour. After that the order is refunded.
      throw failure('StillAllocating', { code: 'esim_of_another_order' })
    })
    return 'provided'
  }

  async function waitForEsims(provider: EsimProvider, orderNo: string): Promise<ProvidedEsim[]> {
    for (const waitMs of [...allocationPollsMs, null]) {
      try {
        return await provider.getEsims(orderNo)
      } catch (error) {
        if (!isProviderFailure(error)) throw error
        // The provider has just returned this order number, so `unknown_order` means that it does not show the order
        // yet.
        if (!['still_allocating', 'unknown_order'].includes(error.code)) throw asFailure(error, esimFailureTypes)
        if (waitMs === null) break
        await pause(waitMs)
      }
    }
    throw failure('StillAllocating', { code: 'still_allocating' })
  }

  async function returnPlacement(order: OrderRow, placement: Placement, at: Date): Promise<void> {
    if (placement.state === 'refused' || placement.state === 'released') return
    // After this a late attempt of `provision` cannot place the order or store eSIMs.
    await movePlacement(sql, placement.id, ['placing', 'placed', 'provided'], { state: 'releasing' })
    const stored = await listEsims(context, order)
    const left = stored.filter(({ state }) => state !== 'cancelled').map(({ esimRef }) => esimRef)
    const held = heldPlacement(order, placement, stored.length > 0 ? left : null)
    const { outcome, missing } = await returns.returnEsims(held, recordOf(order.id, placement, at))
    await sql.begin(async (tx) => {
      if (outcome === 'given_back') await setEsimsCancelled(tx, order.id, at)
      await movePlacement(tx, placement.id, ['releasing'], { state: 'released', reason: outcome })
      if (missing !== undefined)
        await raiseOperatorTask(tx, { kind: unreturned, subjectId: order.id, detail: missing, at })
    })
  }

  /** Notes that an eSIM is back at its provider, which nobody asked as far as our records say: they may be older. */
  async function noteGone(orderId: string, id: string, returnAsked: boolean, at: Date): Promise<void> {
    await setEsimsCancelled(sql, orderId, at, id)
    if (!returnAsked) await noteReturnAsked(sql, id, at)
  }

  /** @param states what the providers have just said of the eSIMs */
  async function returnAll(
    order: OrderRow,
    esims: StoredEsim[],
    states: ReadonlyMap<string, EsimState>,
    at: Date,
  ): Promise<void> {
    const askers = await returnAskers(order, esims, states, at)
    for (const [index, esim] of esims.entries()) {
      if (esim.state === 'cancelled') continue
      const asker = askers.get(esim.provider)
      if (!asker) throw new Error('an eSIM has no placement')
      await cancelUnused(asker, esim.esimRef).catch(async (error: unknown) => {
        // Those behind it are not asked for.
        const notAsked = esims.slice(index).filter((each) => each === esim || !each.returnAsked)
        if (failureType(error) === 'EsimInUse') for (const { id } of notAsked) await noteReturnAsked(sql, id, null)
        throw error
      })
      await setEsimsCancelled(sql, order.id, at, esim.id)
    }
  }

  /** The providers that have filled an order, which remember for which returns they were asked. */
  async function returnAskers(order: OrderRow, esims: StoredEsim[], states: ReadonlyMap<string, EsimState>, at: Date) {
    const left = esims.filter(({ state }) => state !== 'cancelled')
    const placements = (await listPlacements(sql, order.id)).filter(({ state }) => state !== 'refused')
    return new Map(
      placements.map((placement) => {
        const esimRefs = left.filter(({ provider }) => provider === placement.provider).map(({ esimRef }) => esimRef)
        const record = recordOf(order.id, placement, at)
        return [placement.provider, returns.asking(heldPlacement(order, placement, null), record, { esimRefs, states })]
      }),
    )
  }

  /**
   * Returns the eSIMs that a repeated request has bought beside those of the order. A provider that keeps them costs us
   * money, and must not keep the customer waiting: then an operator returns them, and the order goes on.
   */
  async function returnDuplicates(
    orderId: string,
    placement: Placement,
    held: HeldPlacement,
    duplicates: readonly string[],
  ): Promise<void> {
    const at = new Date()
    try {
      await returns.returnDuplicates(held, duplicates, recordOf(orderId, placement, at))
    } catch (error) {
      const type = failureType(error)
      const mayPass = type === undefined || (type !== 'EsimInUse' && sinceScheduledMs() < duplicatesHoldMs)
      if (mayPass) throw error
      await raiseOperatorTask(sql, { kind: unreturned, subjectId: orderId, detail: failureCode(error) ?? type, at })
    }
  }

  /** Keeps what is asked beside the placement. */
  function recordOf(orderId: string, { id }: Placement, at: Date): ReturnRecord {
    return {
      async keep({ marks, task }) {
        if (task) await raiseOperatorTask(sql, { ...task, subjectId: orderId, at })
        await noteReturnsAsked(sql, id, marks)
      },
      async alone(ask) {
        const asking = await beginAskingForReturn(sql, id, askingTakesMs)
        if (!asking) throw failure('ProviderUnavailable', { code: 'asked_elsewhere' })
        try {
          return await ask(asking.asked)
        } finally {
          await endAskingForReturn(sql, id, asking.until)
        }
      },
    }
  }
}

/** A list may have an eSIM twice, which is one eSIM. */
const distinct = (esims: readonly ProvidedEsim[]): ProvidedEsim[] => [
  ...new Map(esims.map((esim) => [esim.esimRef, esim])).values(),
]
