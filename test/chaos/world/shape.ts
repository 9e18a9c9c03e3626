/**
 * What two runs of a seed have in common. Ids, times and the number of attempts differ between runs, so the books are
 * told by the names of the plan: for each order what was received, refunded, charged and is held, and for each person the
 * mails, each once. Left out is what depends on how long the machine took: which provider has made an eSIM, the notice of
 * a delay, and pushes, which are not repeated after an unknown outcome.
 */
import { createHash } from 'node:crypto'
import { distinct, mailsOf } from '../judge/messages.ts'
import type { Acknowledgements, OutsideBooks } from '../judge/record.ts'
import { sum } from '../judge/record.ts'

export function shapeOf(books: OutsideBooks, said: Acknowledgements, world: string): string[] {
  const held = new Set(books.esims.filter((esim) => esim.held).map(({ iccid }) => iccid))
  const orders = said.orders.map((order) => {
    const payments = books.payments.filter(({ orderId, succeeded }) => orderId === order.orderId && succeeded)
    const ids = payments.map(({ id }) => id)
    const refunds = books.refunds.filter(({ payment, failed }) => ids.includes(payment) && !failed)
    const parts = [
      `received ${sum(payments.map(({ receivedMinor }) => receivedMinor))}`,
      `charges ${sum(payments.map(({ charges }) => charges))}`,
      `refunded ${sum(refunds.map(({ minor }) => minor))}`,
      ...(order.status === 'delivered' ? [`holds ${order.iccids.filter((iccid) => held.has(iccid)).length}`] : []),
    ]
    return `${order.name}: ${parts.join(', ')}`
  })
  const people = said.people.map((person) => {
    const subjects = distinct(mailsOf(books, person))
      .map(({ subject }) => subject.replaceAll(world, ''))
      .filter((subject) => !subject.includes('a little longer'))
    return `${person.name}: ${subjects.sort().join(' | ')}`
  })
  const rest = [
    `esims held: ${held.size}`,
    `top-ups: ${books.topUps.length}`,
    `documents: ${sum(said.journal.entries.map(({ grossMinor }) => grossMinor))}`,
  ]
  return [...orders, ...people].sort().concat(rest)
}

export const digestOf = (shape: readonly string[]): string =>
  createHash('sha256').update(shape.join('\n')).digest('hex').slice(0, 16)
