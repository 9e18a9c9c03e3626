/**
 * Airalo's own records: orders, eSIMs, refund requests, credit, and its clock. A repeated request makes a second order.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { fill } from '../keeping.ts'
import { type AiraloPackage, createCatalogue, type Operator } from './catalogue.ts'
import type { Notifications } from './notifications.ts'
import { type Bought, createSimLife, newSim, type Sim, showSim } from './sims.ts'
import { apiTime, invalid, notFound, refused } from './wire.ts'

const FIRST_BALANCE_CENTS = 10_000_000

/** Package ids that force an error, as in the vendor's sandbox. */
const FORCED: Record<string, number> = {
  'test-insufficient-balance-7days-1gb': 11,
  'test-maintenance-mode-7days-1gb': 13,
  'test-disabled-top-up-7days-1gb': 23,
  'test-not-enough-7days-1gb': 33,
  'test-out-of-stock-7days-1gb': 34,
}

export interface Order {
  id: number
  code: string
  type: 'sim' | 'topup'
  package: AiraloPackage
  operator: Operator
  quantity: number
  description: string | null
  createdAt: number
  status: 'completed' | 'partially_refunded' | 'refunded'
  sims: Sim[]
  requestId: string | null
}

const plantedOrderForm = z.strictObject({
  packageId: z.string(),
  quantity: z.number().exactOptional(),
  description: z.string().nullable(),
  /** Unix milliseconds */
  createdAt: z.number(),
  /** US dollars */
  netPrice: z.number().exactOptional(),
  refunded: z.boolean().exactOptional(),
})
export type PlantedOrder = z.infer<typeof plantedOrderForm>
export const plantedOrdersForm = z.array(plantedOrderForm)

export interface Refund {
  refundId: string
  iccids: string[]
  reason: string
  createdAt: number
  approved: boolean
}

interface KeptState {
  balanceCents: number
  nextId: number
  outOfStock: Map<string, number>
  left: Map<string, number>
  inMaintenance: Set<number>
  orders: Map<number, Order>
  sims: Map<string, Sim>
  refunds: Refund[]
}

export function createStore(
  clock: { now: () => number; advance(milliseconds: number): void },
  notifications: Notifications,
) {
  const { now } = clock
  const life = createSimLife(now, notifications)
  let catalogue = createCatalogue()
  let byId = indexed(catalogue)
  let balanceCents = FIRST_BALANCE_CENTS
  let nextId = 9000
  const outOfStock = new Map<string, number>()
  /** how many eSIMs are left, of packages with a limited stock */
  const left = new Map<string, number>()
  const inMaintenance = new Set<number>()
  const orders = new Map<number, Order>()
  const sims = new Map<string, Sim>()
  const refunds: Refund[] = []

  function sold(id: string, type: 'sim' | 'topup'): { package: AiraloPackage; operator: Operator } {
    const forced = FORCED[id]
    if (forced !== undefined) throw refused(forced)
    const found = byId.get(id)
    if (found?.package.type !== type) throw invalid({ package_id: 'The selected package is invalid.' })
    if (inMaintenance.has(found.operator.id)) throw refused(13)
    const out = outOfStock.get(id)
    if (out !== undefined) throw refused(out)
    return found
  }

  function takeFromStock(packageId: string, quantity: number): void {
    const available = left.get(packageId)
    if (available === undefined) return
    // The text of the documented example of POST /orders, 422.
    const text = `SIM quantity is not available. Available quantity: ${available}.`
    if (quantity > available) throw invalid({ quantity: text })
    left.set(packageId, available - quantity)
  }

  function record(order: Pick<Order, 'type' | 'package' | 'operator' | 'quantity' | 'description'>): Order {
    const price = Math.round(order.package.net_price * 100) * order.quantity
    if (price > balanceCents) throw refused(11)
    balanceCents -= price
    const id = ++nextId
    const code = `${apiTime(now()).slice(0, 10).replaceAll('-', '')}-${String(id).padStart(6, '0')}`
    const made: Order = { ...order, id, code, createdAt: now(), status: 'completed', sims: [], requestId: null }
    orders.set(id, made)
    return made
  }

  function simOf(iccid: string): Sim {
    const sim = sims.get(iccid)
    if (!sim) throw notFound()
    return life.settle(sim)
  }

  return {
    life,
    now,
    simOf,
    hasSold: (iccid: string): boolean => sims.has(iccid),
    catalogue: () => catalogue,
    balanceCents: () => balanceCents,
    /** Checks an order without placing it, as the asynchronous endpoint does before it accepts an order. */
    check: (packageId: string) => void sold(packageId, 'sim'),
    placeOrder(
      packageId: string,
      quantity: number,
      description: string | null,
      requestId: string | null = null,
    ): Order {
      const found = sold(packageId, 'sim')
      takeFromStock(packageId, quantity)
      const order = record({ type: 'sim', ...found, quantity, description })
      order.requestId = requestId
      for (let count = 0; count < quantity; count += 1) {
        const bought: Bought = { id: ++nextId, package: found.package }
        const sim = newSim(++nextId, { id: order.id, at: order.createdAt }, found.operator, bought)
        sims.set(sim.iccid, sim)
        order.sims.push(sim)
      }
      return order
    },
    /** Records orders of the past at once; the balance has paid for them before. */
    plant(orders: PlantedOrder[]): { planted: { orderId: number }[] } {
      return {
        planted: orders.map(({ packageId, quantity = 1, description, createdAt, netPrice, refunded }) => {
          const found = byId.get(packageId)
          if (!found) throw new Error('no such package')
          const sold = { ...found.package, net_price: netPrice ?? found.package.net_price }
          const before = balanceCents
          const order = record({ type: 'sim', package: sold, operator: found.operator, quantity, description })
          balanceCents = before
          order.createdAt = createdAt
          if (refunded) order.status = 'refunded'
          return { orderId: order.id }
        }),
      }
    },
    placeTopUp(packageId: string, iccid: string, description: string | null): Order {
      const found = sold(packageId, 'topup')
      const sim = sims.get(iccid)
      if (!sim) throw invalid({ iccid: 'The selected iccid is invalid.' })
      if (sim.recycledAt !== null) throw refused(73)
      if (found.operator.id !== sim.operator.id) throw invalid({ package_id: 'The selected package is invalid.' })
      const order = record({ type: 'topup', ...found, quantity: 1, description })
      order.sims.push(sim)
      life.topUp(sim, { id: order.id, package: found.package })
      return order
    },
    orderOf(id: number): Order {
      const order = orders.get(id)
      if (!order) throw notFound()
      return order
    },
    /** The orders, newest first. Every filter except the status matches a part of the value. */
    listOrders: (filter: {
      description?: string
      code?: string
      iccid?: string
      status?: string
      createdAt?: string
    }): Order[] =>
      [...orders.values()]
        .filter(
          (order) =>
            (!filter.description || order.description?.includes(filter.description)) &&
            (!filter.code || order.code.includes(filter.code)) &&
            (!filter.iccid || order.sims.some(({ iccid }) => iccid.includes(filter.iccid ?? ''))) &&
            (!filter.status || order.status === filter.status) &&
            isOfDays(order.createdAt, filter.createdAt),
        )
        .reverse(),
    listSims: (iccid: string | undefined): Sim[] =>
      [...sims.values()].filter((sim) => !iccid || sim.iccid.includes(iccid)).reverse(),
    requestRefund(iccids: string[], reason: string): Refund {
      const refund = { refundId: String(++nextId), iccids, reason, createdAt: now(), approved: false }
      refunds.push(refund)
      return refund
    },
    /** Approves a request, as Airalo's staff does: the eSIMs end and the credit is returned. */
    approveRefund(refundId: string): void {
      const refund = refunds.find((each) => each.refundId === refundId && !each.approved)
      if (!refund) throw new Error('no such open request')
      refund.approved = true
      for (const iccid of refund.iccids) {
        const sim = simOf(iccid)
        balanceCents += Math.round(sim.bought[0].package.net_price * 100)
        life.recycle(sim)
        const order = orders.get(sim.orderId)
        if (!order) continue
        const isLeft = order.sims.some(({ recycledAt }) => recycledAt === null)
        order.status = isLeft ? 'partially_refunded' : 'refunded'
      }
    },
    /** @param quantity `null`: unlimited */
    setLeft(packageId: string, quantity: number | null): void {
      if (quantity === null) left.delete(packageId)
      else left.set(packageId, quantity)
    },
    setStock(packageId: string | undefined, out: boolean, code: number): void {
      for (const id of packageId === undefined ? byId.keys() : [packageId]) {
        if (out) outOfStock.set(id, code)
        else outOfStock.delete(id)
      }
    },
    setPrice(packageId: string, netPrice: number): void {
      const found = byId.get(packageId)
      if (!found) throw new Error('no such package')
      found.package.net_price = netPrice
    },
    setBalance(amount: number): void {
      balanceCents = Math.round(amount * 100)
    },
    setMaintenance(operatorId: number, on: boolean): void {
      if (on) inMaintenance.add(operatorId)
      else inMaintenance.delete(operatorId)
    },
    advance(milliseconds: number): void {
      clock.advance(milliseconds)
      for (const sim of sims.values()) life.settle(sim)
      notifications.retry(false)
    },
    /** All orders become older, as if the time since had passed. */
    age(milliseconds: number): void {
      for (const order of orders.values()) order.createdAt -= milliseconds
      for (const sim of sims.values()) sim.createdAt -= milliseconds
    },
    show: () => ({
      balance: balanceCents / 100,
      orders: [...orders.values()].map(({ package: sold, operator: _operator, sims: made, createdAt, ...order }) => ({
        ...order,
        packageId: sold.id,
        netPrice: sold.net_price,
        createdAt: apiTime(createdAt),
        iccids: made.map(({ iccid }) => iccid),
      })),
      sims: [...sims.values()].map((sim) => ({ ...showSim(sim), orderId: sim.orderId, usage: life.usage(sim) })),
      refunds,
    }),
    /** The state that a restart loads; prices are those of the catalogue. */
    kept: {
      save: () => ({ balanceCents, nextId, outOfStock, left, inMaintenance, orders, sims, refunds }),
      load(state: KeptState): void {
        balanceCents = state.balanceCents
        nextId = state.nextId
        fill(outOfStock, state.outOfStock)
        fill(left, state.left)
        for (const operator of state.inMaintenance) inMaintenance.add(operator)
        fill(orders, state.orders)
        fill(sims, state.sims)
        refunds.push(...state.refunds)
      },
    },
    reset(): void {
      catalogue = createCatalogue()
      byId = indexed(catalogue)
      balanceCents = FIRST_BALANCE_CENTS
      for (const each of [outOfStock, left, inMaintenance, orders, sims]) each.clear()
      refunds.length = 0
    },
  }
}

/** @param days `2026-10-01 - 2026-10-31`, both included; empty for all */
function isOfDays(at: number, days: string | undefined): boolean {
  if (!days) return true
  const [, first, last] = /^(\d{4}-\d\d-\d\d) - (\d{4}-\d\d-\d\d)$/.exec(days) ?? []
  if (!first || !last) throw invalid({ created_at: 'The created at is not a valid date range.' })
  const day = apiTime(at).slice(0, 10)
  return day >= first && day <= last
}

export type Store = ReturnType<typeof createStore>

/** 25 characters, as the vendor's request ids. */
export const newRequestId = (): string => randomBytes(19).toString('base64url').slice(0, 25)

function indexed(catalogue: ReturnType<typeof createCatalogue>) {
  return new Map(
    catalogue.flatMap(({ operators }) =>
      operators.flatMap((operator) => operator.packages.map((each) => [each.id, { package: each, operator }] as const)),
    ),
  )
}
