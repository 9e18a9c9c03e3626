/** Which purchase at a provider made the eSIMs of an order. */
import type { BoughtEsim, Order, OutsideBooks } from './record.ts'

/**
 * The purchases that made an order's eSIMs. eSIM Access gives the ICCID of a returned eSIM to the next buyer, so that an
 * order's own purchase is the first one of the ICCID since the order was made.
 */
export function purchasesOf(books: OutsideBooks, order: Pick<Order, 'iccids' | 'begunAt'>): BoughtEsim[] {
  return order.iccids.flatMap((iccid) => {
    const since = books.esims.filter((esim) => esim.iccid === iccid && esim.boughtAt >= order.begunAt)
    return since.toSorted((one, other) => one.boughtAt - other.boughtAt).slice(0, 1)
  })
}
