/** Getting eSIMs from a provider, and giving them back. */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { insertEsims, listEsims, type StoredEsim, setEsimState } from '../../db/order/esims.ts'
import { moveOrder, type OrderRow } from '../../db/order/orders.ts'
import {
  claimPlacement,
  listOffers,
  listPlacements,
  movePlacement,
  notePlaced,
  type Placement,
} from '../../db/order/placements.ts'
import type { EsimProvider, EsimProviderId, ProvidedEsim } from '../../providers/esim.ts'
import { finalFor } from '../../providers/esim-codes.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure } from '../../shared/failures.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { asFailure, esimLook, withFailureTypes } from '../failures.ts'
import { askOnce } from './ask-once.ts'
import { knownOrder } from './known-order.ts'
import { showOperator } from './provider-alarm.ts'
import { cancelUnused, createProviderReturns, type HeldOrder, placeOrderOf } from './provider-returns.ts'
import { releaseTopUp, topUpParent } from './top-up.ts'

type Activities = Pick<OrderActivities, 'startProvisioning' | 'provision' | 'releaseProvision' | 'withdrawEsims'>

/** Most allocations take a second or two: asked again within the attempt, before the retry policy's slower pace. */
const allocationPollsMs = [100, 200, 400, 800, 1600]

export function createOrderProvisioningActivities(context: Context): Activities {
  const { sql } = context
  const returns = createProviderReturns(context)
  const providerOf = (id: string): EsimProvider => context.esimProviders[id as EsimProviderId]

  return {
    async startProvisioning({ orderId, deliverBy }) {
      const approved = { status: 'provisioning', reason: null, deliver_by: new Date(deliverBy) } as const
      await moveOrder(sql, orderId, ['in_review'], approved)
    },

    async provision({ orderId }) {
      const order = await knownOrder(sql, orderId)
      if (order.parent_order_id) return topUpParent(context, order)
      const placements = await listPlacements(sql, orderId)
      const begun = placements.find((placement) => !['refused', 'released'].includes(placement.state))
      if (begun?.state === 'provided') return
      if (begun?.state === 'releasing') throw failure('OrderStateConflict', { code: 'releasing' })
      const outcome = begun ? await fill(order, begun, false) : 'refused'
      if (outcome === 'provided') return
      const asked = new Set(placements.map(({ provider }) => provider))
      await tryOffers(order, asked, outcome === 'refused' ? undefined : outcome)
    },

    async withdrawEsims({ orderId, asOf }) {
      const esims = await listEsims(context, await knownOrder(sql, orderId))
      const states = await Promise.all(
        esims.map((esim) => withFailureTypes(esimLook, () => providerOf(esim.provider).getStatus(esim.esimRef))),
      )
      if (states.some(({ state }) => state !== 'new' && state !== 'cancelled')) throw failure('EsimInUse')
      await cancelAll(orderId, esims, new Date(asOf))
    },

    async releaseProvision({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      if (order.parent_order_id) return releaseTopUp(context, order, new Date(asOf))
      for (const placement of await listPlacements(sql, orderId)) await release(order, placement, new Date(asOf))
    },
  }

  /**
   * One provider after the other, the cheapest first; one without stock or balance makes room for the next.
   * @param later what a provider of `asked` said that may fill the order another time
   */
  async function tryOffers(
    order: OrderRow,
    asked: Set<string>,
    later: ReturnType<typeof failure> | undefined,
  ): Promise<void> {
    let waitFor = later
    for (const offer of await listOffers(sql, order.package_code)) {
      if (asked.has(offer.provider)) continue
      const placement = await claimPlacement(sql, order.id, offer, randomUUID())
      if (!placement) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
      const outcome = await fill(order, placement, true)
      if (outcome === 'provided') return
      if (outcome !== 'refused') waitFor = outcome
    }
    throw waitFor ?? failure('OutOfStock')
  }

  /**
   * Places (or finds) the order and fetches its eSIMs.
   * @param isFirst no earlier attempt may have placed it
   * @returns `refused` when the provider cannot fill it; a failure when it may later, and surely has not now
   */
  async function fill(
    order: OrderRow,
    placement: Placement,
    isFirst: boolean,
  ): Promise<'provided' | 'refused' | ReturnType<typeof failure>> {
    const provider = providerOf(placement.provider)
    const held = heldOf(order, placement)
    let orderNo = held.orderNo
    if (!orderNo && !isFirst) {
      orderNo = await returns.findPlaced(held, (esimRef) => giveBackCopy(order.id, provider, esimRef))
    }
    if (!orderNo) {
      const place = () => provider.placeOrder(placeOrderOf(held))
      const asked = await askOnce(context, provider, placement, isFirst, finalFor.order, place)
      if (asked === 'refused') return asked
      if ('later' in asked) return asked.later
      orderNo = asked.answer.orderNo
    }
    if (!(await notePlaced(sql, placement.id, orderNo))) throw failure('OrderStateConflict', { code: 'releasing' })
    const esims = await allocated(provider, orderNo)
    if (esims.length < order.quantity) throw failure('StillAllocating', { code: 'too_few_esims' })
    await insertEsims(context, order, placement, esims)
    return 'provided'
  }

  async function allocated(provider: EsimProvider, orderNo: string): Promise<ProvidedEsim[]> {
    for (const waitMs of [...allocationPollsMs, null]) {
      try {
        return await provider.getEsims(orderNo)
      } catch (error) {
        if (!isProviderFailure(error)) throw error
        if (error.needsOperator) await showOperator(context, error)
        // The provider has just given us the number: an order that it does not find is one that it does not show yet.
        if (!['still_allocating', 'unknown_order'].includes(error.code)) throw asFailure(error, esimLook)
        if (waitMs === null) break
        await pause(waitMs)
      }
    }
    throw failure('StillAllocating', { code: 'still_allocating' })
  }

  async function release(order: OrderRow, placement: Placement, at: Date): Promise<void> {
    if (placement.state === 'refused' || placement.state === 'released') return
    // From here on no late attempt of `provision` can place or store anything.
    await movePlacement(sql, placement.id, ['placing', 'placed', 'provided'], { state: 'releasing' })
    const stored = await listEsims(context, order)
    const held = {
      ...heldOf(order, placement),
      esimRefs: stored.length > 0 ? stored.map(({ esimRef }) => esimRef) : null,
    }
    const outcome = await returns.giveBack(held, async (_esimRef, answer) => {
      if (answer === 'requested') await noteRequested(order.id, at)
    })
    await sql.begin(async (tx) => {
      if (outcome === 'given_back') await setEsimState(tx, order.id, 'cancelled', at)
      await movePlacement(tx, placement.id, ['releasing'], { state: 'released', reason: outcome })
    })
  }

  async function cancelAll(orderId: string, esims: StoredEsim[], at: Date): Promise<void> {
    for (const esim of esims) {
      if (esim.state === 'cancelled') continue
      const outcome = await cancelUnused(providerOf(esim.provider), esim.esimRef)
      if (outcome === 'requested') await noteRequested(orderId, at)
      await setEsimState(sql, orderId, 'cancelled', at, esim.id)
    }
  }

  /** A copy that its provider does not take back costs us money, and must not cost the customer the eSIM. */
  async function giveBackCopy(orderId: string, provider: EsimProvider, esimRef: string): Promise<void> {
    try {
      if ((await provider.cancelUnused(esimRef)) === 'requested') await noteRequested(orderId, new Date())
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      if (error.kind !== 'rejected' && error.kind !== 'misconfigured') throw asFailure(error, esimLook)
      const task = { kind: 'provider_order_unreturned', subjectId: orderId, detail: error.code, at: new Date() }
      await raiseOperatorTask(sql, task)
    }
  }

  /** The provider's people decide about our money; the customer has theirs already. */
  async function noteRequested(orderId: string, at: Date): Promise<void> {
    await raiseOperatorTask(sql, { kind: 'provider_refund_requested', subjectId: orderId, at })
  }
}

function heldOf(order: OrderRow, placement: Placement): HeldOrder {
  return {
    provider: placement.provider,
    clientRef: placement.client_ref,
    packageCode: placement.provider_package_code,
    quantity: order.quantity,
    days: placement.daily ? order.days : null,
    orderNo: placement.provider_order_no,
    placedAfter: placement.placed_after.toISOString(),
    esimRefs: null,
  }
}
