/** Which purchase at a provider made the eSIMs of an order. */
import type { BoughtEsim, Order, OutsideBooks } from './record.ts'

/**
 * The purchases that made an order's eSIMs. eSIM Access gives the ICCID of a returned eSIM to the next buyer, often
 * within seconds: an order's own purchase is the last one of the ICCID before its eSIMs were seen.
 */
export function purchasesOf(
  books: OutsideBooks,
  { iccids, begunAt, esimsSeenAt }: Pick<Order, 'iccids' | 'begunAt' | 'esimsSeenAt'>,
): BoughtEsim[] {
  const until = esimsSeenAt ?? Number.POSITIVE_INFINITY
  return iccids.flatMap((iccid) => {
    const before = books.esims.filter(
      (esim) => esim.iccid === iccid && esim.boughtBy >= begunAt && esim.boughtFrom <= until,
    )
    return before.toSorted((one, other) => other.boughtFrom - one.boughtFrom).slice(0, 1)
  })
}
