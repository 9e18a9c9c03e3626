/** The provider's own records: orders, their profiles, top-ups, cancellations, and its clock. */

import { fill } from '../keeping.ts'
import { type CataloguePackage, isReloadable } from './catalogue.ts'
import { createLifecycle, type Notify } from './lifecycle.ts'
import { newProfile, type Profile, type Purchase, showProfile } from './profile.ts'
import {
  type Allocation,
  type Cancelled,
  daysOf,
  type KeptState,
  type Line,
  type Order,
  type OrderLine,
  type PlantedOrder,
  priceOf,
  type ToppedUp,
} from './records.ts'
import { outcomeOf, slowAllocationSeconds } from './test-packages.ts'
import { createWarehouse } from './warehouse.ts'
import { Refusal } from './wire.ts'

export function createStore(notify: Notify) {
  let offsetMs = 0
  const now = () => Date.now() + offsetMs
  const lifecycle = createLifecycle(now, notify)
  const warehouse = createWarehouse()
  let allocation: Allocation = {}
  let sequence = 0
  const orders = new Map<string, Order>()
  const byTransaction = new Map<string, Order>()
  const pending = new Set<Order>()
  const profiles = new Map<string, Profile>()
  /** the newest profile of each ICCID: the provider reuses the numbers of cancelled profiles */
  const byIccid = new Map<string, Profile>()
  const freeIccids: string[] = []
  const topUps = new Map<string, ToppedUp>()
  const cancels: Cancelled[] = []

  const stamp = () =>
    new Date(now()).toISOString().slice(2, 16).replace(/\D/g, '') + String(++sequence).padStart(4, '0')

  /** A repeated transactionId returns the first order; the rest of the request is ignored. */
  function placeOrder(transactionId: string, requested: OrderLine[], amount: number | undefined): Order {
    const earlier = byTransaction.get(transactionId)
    if (earlier) return earlier
    const lines = requested.map(checkLine)
    const total = lines.reduce((sum, line) => sum + priceOf(line.package, line.days) * line.count, 0)
    if (amount !== undefined && amount !== total) throw new Refusal('200006')
    if (!lines.every((line) => warehouse.inStock(line.package))) throw new Refusal('200011')
    warehouse.charge(total)
    const order: Order = {
      orderNo: `B${stamp()}`,
      transactionId,
      amount: total,
      placedAt: now(),
      lines,
      ...waiting(lines),
      profiles: null,
    }
    orders.set(order.orderNo, order)
    byTransaction.set(transactionId, order)
    pending.add(order)
    allocateLater(order)
    return order
  }

  function allocateLater(order: Order): void {
    if (Number.isFinite(order.readyAt)) setTimeout(() => allocateIfDue(order), order.readyAt - now()).unref()
  }

  function checkLine({ code, count, price, periodNum }: OrderLine): Line {
    const sold = warehouse.find(code)
    if (sold.packageCode.startsWith('TOPUP_')) throw new Refusal('310241')
    if (!Number.isInteger(count) || count < 1 || count > 30) throw new Refusal('200008')
    if (price !== undefined && price !== sold.price) throw new Refusal('200005')
    return { package: sold, count, days: daysOf(sold, periodNum) }
  }

  function waiting(lines: Line[]): { pollsLeft: number; readyAt: number } {
    const isSlow = lines.some((line) => outcomeOf(line.package.packageCode) === 'slow')
    const { polls, seconds, never }: Allocation = isSlow ? { seconds: slowAllocationSeconds } : allocation
    const forever = Number.POSITIVE_INFINITY
    if (never) return { pollsLeft: forever, readyAt: forever }
    if (polls === undefined) return { pollsLeft: forever, readyAt: now() + (seconds ?? 0) * 1000 }
    return { pollsLeft: polls, readyAt: seconds === undefined ? forever : now() + seconds * 1000 }
  }

  function allocateIfDue(order: Order): void {
    if (now() >= order.readyAt || order.pollsLeft <= 0) allocate(order)
  }

  function allocate(order: Order): void {
    if (!pending.delete(order)) return
    order.profiles = order.lines.flatMap((line) => Array.from({ length: line.count }, () => addProfile(order, line)))
    const { orderNo, transactionId } = order
    notify('ORDER_STATUS', { orderNo, transactionId, orderStatus: 'GOT_RESOURCE' })
  }

  function addProfile(order: Order, line: Line): Profile {
    const purchase = newPurchase(order.transactionId, line.package, line.days)
    const profile = newProfile({ ...order, serial: sequence, iccid: freeIccids.shift() }, purchase)
    profiles.set(profile.esimTranNo, profile)
    byIccid.set(profile.iccid, profile)
    return profile
  }

  const newPurchase = (transactionId: string, sold: CataloguePackage, days: number): Purchase => ({
    package: sold,
    transactionId,
    tranNo: stamp(),
    days,
    volume: sold.dataType === 1 ? sold.volume : sold.volume * days,
    price: priceOf(sold, days),
    at: now(),
  })

  return {
    lifecycle,
    warehouse,
    now,
    placeOrder,
    topUp(profile: Profile, code: string, transactionId: string, amount?: number, periodNum?: number): unknown {
      const earlier = topUps.get(transactionId)
      if (earlier) return earlier.reply
      const sold = warehouse.find(code.startsWith('TOPUP_') ? code : `TOPUP_${warehouse.find(code).packageCode}`)
      const [first] = profile.purchases
      if (sold.locationCode !== first.package.locationCode) throw new Refusal('310241')
      // Not documented: which code refuses a top-up of an eSIM whose package has `supportTopUpType` 1.
      if (!isReloadable(first.package)) throw new Refusal('200002')
      const purchase = newPurchase(transactionId, sold, daysOf(sold, periodNum))
      const { price, tranNo } = purchase
      if (amount !== undefined && amount !== price) throw new Refusal('200005')
      if (price > warehouse.balance()) throw new Refusal('200007')
      lifecycle.topUp(profile, purchase)
      warehouse.charge(price)
      const { iccid, expiredTime, totalVolume, totalDuration, orderUsage } = showProfile(profile)
      const reply = {
        transactionId,
        iccid,
        expiredTime,
        totalVolume,
        totalDuration,
        orderUsage,
        topUpEsimTranNo: tranNo,
      }
      topUps.set(transactionId, { esimTranNo: profile.esimTranNo, packageCode: sold.packageCode, price, reply })
      return reply
    },
    cancel(profile: Profile): void {
      lifecycle.cancel(profile)
      const returned = profile.purchases.reduce((sum, { price }) => sum + price, 0)
      warehouse.charge(-returned)
      freeIccids.push(profile.iccid)
      cancels.push({ esimTranNo: profile.esimTranNo, returned, at: new Date(now()).toISOString() })
    },
    /** Records allocated orders of the past at once, without webhooks; the balance has paid for them before. */
    plant(planted: PlantedOrder[]): { planted: { orderNo: string }[] } {
      return {
        planted: planted.map(({ packageCode, transactionId, createdAt, cancelled }) => {
          const line = checkLine({ code: packageCode, count: 1, price: undefined, periodNum: undefined })
          const amount = priceOf(line.package, line.days)
          const order: Order = {
            orderNo: `B${stamp()}`,
            transactionId,
            amount,
            placedAt: createdAt,
            lines: [line],
            pollsLeft: 0,
            readyAt: createdAt,
            profiles: null,
          }
          const profile = addProfile(order, line)
          profile.createdAt = createdAt
          profile.purchases[0].at = createdAt
          if (cancelled) profile.esimStatus = 'CANCEL'
          order.profiles = [profile]
          orders.set(order.orderNo, order)
          byTransaction.set(transactionId, order)
          return { orderNo: order.orderNo }
        }),
      }
    },
    setAllocation(next: Allocation): void {
      allocation = next
    },
    allocatePending(orderNo: string | undefined): number {
      const due = [...pending].filter((order) => orderNo === undefined || order.orderNo === orderNo)
      for (const order of due) allocate(order)
      return due.length
    },
    /** Moves the clock forward and applies what falls due. */
    advance(milliseconds: number): void {
      offsetMs += milliseconds
      for (const order of pending) allocateIfDue(order)
      for (const profile of profiles.values()) lifecycle.settle(profile)
    },
    /** All that is allocated becomes older, as if the time since had passed. */
    age(milliseconds: number): void {
      for (const order of orders.values()) if (order.profiles) order.placedAt -= milliseconds
      for (const profile of profiles.values()) {
        profile.createdAt -= milliseconds
        for (const purchase of profile.purchases) purchase.at -= milliseconds
      }
    },
    profileBy(key: { esimTranNo?: string | undefined; iccid?: string | undefined }): Profile | undefined {
      if (key.esimTranNo) return profiles.get(key.esimTranNo)
      return key.iccid ? byIccid.get(key.iccid) : undefined
    },
    orderBy(key: { orderNo?: string | undefined; transactionId?: string | undefined }): Order | undefined {
      return key.orderNo ? orders.get(key.orderNo) : byTransaction.get(key.transactionId ?? '')
    },
    /** The profiles of an order; a poll can complete the allocation. @throws Refusal 310272 or 200010 */
    pollOrder(orderNo: string): Profile[] {
      const order = orders.get(orderNo)
      if (!order) throw new Refusal('310272')
      allocateIfDue(order)
      if (order.profiles) return order.profiles
      order.pollsLeft -= 1
      throw new Refusal('200010')
    },
    profilesBetween: (from: number, until: number): Profile[] =>
      [...profiles.values()].filter(({ createdAt }) => createdAt >= from && createdAt <= until),
    show: () => ({
      balance: warehouse.balance(),
      orders: [...orders.values()].map(({ orderNo, transactionId, amount, placedAt, lines, profiles: made }) => ({
        orderNo,
        transactionId,
        amount,
        placedAt: new Date(placedAt).toISOString(),
        packages: lines.map((line) => ({ packageCode: line.package.packageCode, count: line.count, days: line.days })),
        allocated: made !== null,
        esimTranNos: made?.map(({ esimTranNo }) => esimTranNo) ?? [],
      })),
      esims: [...profiles.values()].map((profile) => showProfile(lifecycle.settle(profile))),
      topUps: [...topUps].map(([transactionId, { esimTranNo, packageCode, price }]) => ({
        transactionId,
        esimTranNo,
        packageCode,
        price,
      })),
      cancels,
    }),
    /** The state that a restart loads; prices are those of the catalogue. */
    kept: {
      save: () => ({
        offsetMs,
        sequence,
        allocation,
        orders,
        byTransaction,
        pending,
        profiles,
        byIccid,
        freeIccids,
        topUps,
        cancels,
        warehouse: warehouse.save(),
      }),
      load(state: KeptState): void {
        offsetMs = state.offsetMs
        sequence = state.sequence
        allocation = state.allocation
        fill(orders, state.orders)
        fill(byTransaction, state.byTransaction)
        fill(profiles, state.profiles)
        fill(byIccid, state.byIccid)
        fill(topUps, state.topUps)
        freeIccids.push(...state.freeIccids)
        cancels.push(...state.cancels)
        warehouse.load(state.warehouse)
        for (const order of state.pending) {
          pending.add(order)
          allocateLater(order)
        }
      },
    },
    reset(): void {
      offsetMs = 0
      allocation = {}
      warehouse.reset()
      for (const each of [orders, byTransaction, pending, profiles, byIccid, topUps]) each.clear()
      freeIccids.length = 0
      cancels.length = 0
    },
  }
}

export type Store = ReturnType<typeof createStore>
