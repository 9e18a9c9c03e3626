/** Which purchases at providers made the eSIMs of orders. */
import type { BoughtEsim, Order, OutsideBooks } from './record.ts'

type Buyer = Pick<Order, 'iccids' | 'begunAt' | 'seenAt' | 'status'>

const isDelivered = ({ status }: Buyer): boolean => status === 'delivered' || status === 'ended'

/**
 * The purchases that made the eSIMs of each order. eSIM Access gives the ICCID of a returned eSIM to the next buyer,
 * often within seconds, so that several purchases and several orders have one ICCID. A purchase is one order's alone,
 * later than the order and earlier than its eSIM was seen. Where this leaves a choice, an eSIM that is held is a
 * delivered order's: only what no choice explains is a violation.
 */
export function purchasesOf<Each extends Buyer>(books: OutsideBooks, orders: readonly Each[]): Map<Each, BoughtEsim[]> {
  const buyers = new Map<string, Each[]>()
  for (const order of orders) for (const iccid of order.iccids) buyers.set(iccid, [...(buyers.get(iccid) ?? []), order])
  const bought = new Map<string, BoughtEsim[]>()
  for (const esim of books.esims)
    if (buyers.has(esim.iccid)) bought.set(esim.iccid, [...(bought.get(esim.iccid) ?? []), esim])

  const found = new Map<Each, BoughtEsim[]>(orders.map((order) => [order, []]))
  for (const [iccid, those] of buyers)
    for (const [order, esim] of divide(iccid, bought.get(iccid) ?? [], those)) found.get(order)?.push(esim)
  return found
}

/** Gives each purchase of an ICCID to one of the orders that have shown it, if to any. */
function divide<Each extends Buyer>(
  iccid: string,
  purchases: readonly BoughtEsim[],
  orders: readonly Each[],
): Map<Each, BoughtEsim> {
  const given = new Map<Each, BoughtEsim>()
  const left = new Set(purchases.toSorted((one, other) => one.boughtFrom - other.boughtFrom))
  const seenAt = (order: Each): number => order.seenAt[iccid] ?? Number.POSITIVE_INFINITY
  // The earliest purchase is the order's that was seen first: in this way most orders get one.
  const inOrder = orders.toSorted((one, other) => seenAt(one) - seenAt(other))
  const give = (esims: (esim: BoughtEsim) => boolean, to: (order: Each) => boolean): void => {
    for (const esim of left) {
      if (!esims(esim)) continue
      const { boughtFrom, boughtBy } = esim
      const buyer = inOrder.find(
        (order) => to(order) && !given.has(order) && boughtBy >= order.begunAt && boughtFrom <= seenAt(order),
      )
      if (!buyer) continue
      given.set(buyer, esim)
      left.delete(esim)
    }
  }
  give(({ held }) => held, isDelivered)
  give(
    ({ held }) => !held,
    () => true,
  )
  give(
    () => true,
    () => true,
  )
  return given
}
