/**
 * The common shape of two runs of a plan. Ids, times and the number of attempts differ between runs, so the shape has
 * the names of the plan: for each order its end, the amounts received, refunded, charged and booked, and its eSIMs, and
 * for the people of each address the mails, each once. Left out are facts that depend on how long the machine took:
 * which provider has made an eSIM, the notices of a delay and of a policy's later day, promotions, pushes, mails about
 * orders before a deletion, and the orders that the plan lets race. The oracles judge each of them.
 */
import { createHash } from 'node:crypto'
import { distinct, mailsOf } from '../oracles/messages.ts'
import { purchasesOf } from '../oracles/purchases.ts'
import type { Acknowledgements, OutsideBooks } from '../oracles/record.ts'
import { sum } from '../oracles/record.ts'
import { isAct, type PlannedEvent } from './events.ts'

/**
 * Orders with two acts at the same time, and their top-ups: either may win, and the oracles alone say whether the end
 * is right.
 */
export function racedOrders(events: readonly PlannedEvent[]): Set<string> {
  const acts = events.filter(isAct).map(({ act }) => act)
  const raced = new Set(
    acts.flatMap((act) => {
      if (act.kind === 'order' && (act.payment === 'paid_and_cancelled' || !act.waits)) return [act.order]
      return act.kind === 'top_up' && act.refund === 'meanwhile' ? [act.order, act.of] : []
    }),
  )
  // Nobody orders a top-up for an order that was not delivered.
  for (const act of acts) if (act.kind === 'top_up' && raced.has(act.of)) raced.add(act.order)
  return raced
}

const aboutOrder =
  /^(Your eSIMs? for|We are checking|Your refund|Your order|Your data for|80%|Sorry about|We have received your withdrawal)/
/** Comes when the notices of a policy have taken too long. */
const movedNotice = /^Our privacy policy changes later/

export function shapeOf(
  events: readonly PlannedEvent[],
  books: OutsideBooks,
  said: Acknowledgements,
  world: string,
): string[] {
  const raced = racedOrders(events)
  const booked = new Map(said.journal.entries.map(({ number, grossMinor }) => [number, grossMinor]))
  const bought = purchasesOf(books, said.orders)
  const gone = new Set(
    said.people.filter(({ deletion, inactive }) => deletion || inactive).map(({ accountId }) => accountId),
  )
  const succeeded = books.payments.filter((payment) => payment.succeeded)
  const orders = said.orders
    .filter(({ name }) => !raced.has(name))
    .map((order) => {
      const payments = succeeded.filter(({ orderId }) => orderId === order.orderId)
      const ids = payments.map(({ id }) => id)
      const refunds = books.refunds.filter(({ payment, failed }) => ids.includes(payment) && !failed)
      const parts = [
        order.status,
        `received ${sum(payments.map(({ receivedMinor }) => receivedMinor))}`,
        `charges ${sum(payments.map(({ charges }) => charges))}`,
        `refunded ${sum(refunds.map(({ minor }) => minor))}`,
        // The credit note of a refund that was made right before a deletion nobody has seen with its order.
        ...(gone.has(order.accountId)
          ? []
          : [`booked ${sum(order.documents.map((number) => booked.get(number) ?? 0))}`]),
        ...(order.status === 'delivered' ? [`holds ${bought.get(order)?.filter(({ held }) => held).length ?? 0}`] : []),
      ]
      return `${order.name}: ${parts.join(', ')}`
    })
  const promotions = new Set(said.campaigns.map(({ subject }) => subject))
  const racing = new Set(said.orders.filter(({ name }) => raced.has(name)).map(({ accountId }) => accountId))
  const addresses = [...new Set(said.people.map(({ email }) => email))]
  const people = addresses.map((address) => {
    const atAddress = said.people.filter(({ email }) => email === address)
    // A deletion ends the runs, and with them the mail of a refund that was made just before.
    const isRacing = atAddress.some(
      ({ accountId, deletion, inactive }) => deletion !== null || inactive || racing.has(accountId),
    )
    const subjects = atAddress
      .flatMap((person) => distinct(mailsOf(books, person)))
      // A promotion comes once at most: not at all if the worker died while it was sent.
      .filter(({ subject }) => !promotions.has(subject) && !movedNotice.test(subject))
      .map(({ subject }) => subject.replaceAll(world, '').replace(/(?<=changes on ).*/, 'a day'))
      .filter((subject) => !subject.includes('a little longer'))
      .filter((subject) => !isRacing || !aboutOrder.test(subject))
    return `${atAddress.map(({ name }) => name).join(', ')}: ${subjects.sort().join(' | ')}`
  })
  return [...orders, ...people].sort()
}

export const digestOf = (shape: readonly string[]): string =>
  createHash('sha256').update(shape.join('\n')).digest('hex').slice(0, 16)
