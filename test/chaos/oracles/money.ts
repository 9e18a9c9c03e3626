/** Who paid is delivered or refunded (U2), risky orders wait for a review (U5), and the books are complete (U6). */
import { periods } from '../../../policy/periods.ts'
import { deliveryFaults } from './app-backend.ts'
import { purchasesOf } from './purchases.ts'
import {
  type Acknowledgements,
  type BoughtEsim,
  type Finding,
  type Oracle,
  type Order,
  type OutsideBooks,
  sum,
} from './record.ts'

/** Work goes on in real time while a run's clock is moved. */
const graceMs = 5 * 60_000

const unpaidEnds = ['cancelled', 'unpaid']
const deliveredEnds = ['delivered', 'ended']
const isOver = ({ status }: Order): boolean => [...unpaidEnds, ...deliveredEnds, 'refunded'].includes(status)

/** Their orders were seen for the last time before their accounts went. */
const goneAccounts = ({ people }: Acknowledgements): Set<string> =>
  new Set(people.filter(({ deletion, inactive }) => deletion || inactive).map(({ accountId }) => accountId))

interface Account {
  order: Order
  purchases: BoughtEsim[]
  isGone: boolean
  receivedMinor: number
  refundedMinor: number
  charges: number
  held: number
}

function accounts(books: OutsideBooks, said: Acknowledgements): Account[] {
  const gone = goneAccounts(said)
  const succeeded = books.payments.filter((payment) => payment.succeeded)
  const refunds = books.refunds.filter(({ failed }) => !failed)
  const bought = purchasesOf(books, said.orders)
  return said.orders.map((order) => {
    const payments = succeeded.filter(({ orderId }) => orderId === order.orderId)
    const ids = new Set(payments.map(({ id }) => id))
    const purchases = bought.get(order) ?? []
    return {
      order,
      purchases,
      isGone: gone.has(order.accountId),
      receivedMinor: sum(payments.map((payment) => payment.receivedMinor)),
      refundedMinor: sum(refunds.filter(({ payment }) => ids.has(payment)).map(({ minor }) => minor)),
      charges: sum(payments.map((payment) => payment.charges)),
      held: purchases.filter(({ held }) => held).length,
    }
  })
}

/** U2: paid means delivered or refunded within its time, once each. */
export const ordersEndOnce: Oracle = (books, said) => {
  const all = accounts(books, said)
  return [
    ...all.flatMap(orderFaults),
    ...all.flatMap((each) => [...lostTopUp(each, all), ...misplacedTopUp(each, all, books)]),
    ...strays(books, all, said.appliedAnyway),
    ...eventFaults(said),
    ...deliveryFaults(books, said),
  ]
}

function orderFaults({ order, isGone, receivedMinor, refundedMinor, charges, held }: Account): Finding[] {
  const found: Finding[] = []
  const isWrong = (wrong: boolean, what: string): void => {
    if (wrong) found.push({ subject: order.name, what: `${what} (${order.status})` })
  }
  const { status, grossMinor, isTopUp, quantity, partialRefunds } = order
  isWrong(charges > 1, `${charges} charges`)
  isWrong(receivedMinor > 0 && receivedMinor !== grossMinor, `received ${receivedMinor} for ${grossMinor}`)
  isWrong(refundedMinor > receivedMinor, `refunded ${refundedMinor}, more than the ${receivedMinor} received`)
  // An order of an erased account is seen for the last time before: its end is in the outside books alone.
  if (isGone) {
    const partly = refundedMinor > 0 && refundedMinor < receivedMinor
    isWrong(
      partly && refundedMinor !== sum(partialRefunds),
      `refunded ${refundedMinor} of ${receivedMinor} before the deletion`,
    )
    // What nobody has seen of it is counted with the strays.
    if (isTopUp) return found
    const { length: seen } = order.iccids
    const isTheirs = receivedMinor > refundedMinor
    isWrong(isTheirs && held !== seen, `${held} of the ${seen} eSIMs of an erased account that has paid`)
    isWrong(!isTheirs && held > 0, `${held} eSIMs of an erased account whose money is back`)
    return found
  }
  if (receivedMinor === 0) {
    isWrong(!unpaidEnds.includes(status), 'not paid')
    isWrong(held > 0, `${held} eSIMs without a payment`)
  } else if (deliveredEnds.includes(status)) {
    isWrong(!isTopUp && held !== quantity, `${held} of ${quantity} eSIMs`)
    isWrong(
      refundedMinor !== sum(partialRefunds),
      `refunded ${refundedMinor}, acknowledged ${partialRefunds.join(' + ') || 0}`,
    )
  } else if (status === 'refunded') {
    isWrong(refundedMinor !== receivedMinor, `refunded ${refundedMinor} of ${receivedMinor}`)
    isWrong(held > 0, `${held} eSIMs kept although refunded`)
  } else {
    isWrong(true, 'paid, and neither delivered nor refunded')
  }
  // Its last state is what the world remembers of an order that is shown no more.
  isWrong(order.answers !== 200, `of somebody who is there, and answered with ${order.answers}`)
  const { paidAt, deliveredAt } = order
  isWrong(deliveredEnds.includes(status) && (paidAt === null || deliveredAt === null), 'nobody knows since when')
  if (paidAt !== null && deliveredAt !== null) {
    const { deliverWithinMs, reviewWindowMs } = periods.order
    const within = deliverWithinMs + (order.risk === 'normal' ? 0 : reviewWindowMs)
    isWrong(
      deliveredAt - paidAt > within + graceMs,
      `delivered after ${Math.round((deliveredAt - paidAt) / 60_000)} min`,
    )
  }
  return found
}

/** A top-up is kept as long as its eSIM. */
function lostTopUp({ order, receivedMinor, refundedMinor }: Account, all: Account[]): Finding[] {
  const parent = all.find((other) => other.order.orderId === order.topUpOf)
  const isLost = parent?.order.status === 'refunded' && receivedMinor > refundedMinor
  return isLost ? [{ subject: order.name, what: 'paid for an eSIM that was returned' }] : []
}

/** Of its eSIMs now and before. */
const knownIccids = ({ iccids, seenAt }: Account['order']): string[] => [...iccids, ...Object.keys(seenAt)]

/** A delivered top-up is on an eSIM of the order that it was bought for. */
function misplacedTopUp({ order }: Account, all: Account[], { topUps }: OutsideBooks): Finding[] {
  const parent = all.find((other) => other.order.orderId === order.topUpOf)?.order
  if (!parent || !deliveredEnds.includes(order.status)) return []
  const iccids = knownIccids(parent)
  const isThere = iccids.length === 0 || topUps.some(({ iccid }) => iccids.includes(iccid))
  return isThere ? [] : [{ subject: order.name, what: 'is on no eSIM of the order that it was bought for' }]
}

/** The orders on whose eSIMs there are more or fewer top-ups than were delivered. */
const toppedUpOtherwise = ({ topUps }: OutsideBooks, all: Account[]): string[] =>
  all.flatMap(({ order: parent }) => {
    const own = knownIccids(parent)
    const applied = topUps.filter(({ iccid }) => own.includes(iccid)).length
    const bought = all.filter(({ order }) => order.topUpOf === parent.orderId).map(({ order }) => order)
    const delivered = bought.filter(({ status }) => deliveredEnds.includes(status)).length
    const states = bought.map((order) => `${order.name} ${order.status}`).join(', ')
    return applied === delivered ? [] : [`on ${parent.name} ${applied} of ${delivered} (${states})`]
  })

/** eSIMs, top-ups and payments that belong to no order. */
function strays(books: OutsideBooks, all: Account[], appliedAnyway: readonly string[]): Finding[] {
  const known = new Set(all.flatMap(({ purchases }) => purchases))
  const strange = books.esims.filter((esim) => esim.held && !known.has(esim))
  // Delivered while its account was being erased: nobody could look at it any more.
  const unseen = all.filter(
    ({ order, isGone, receivedMinor, refundedMinor }) =>
      isGone && !order.isTopUp && order.iccids.length < order.quantity && receivedMinor > refundedMinor,
  )
  const allowed = sum(unseen.map(({ order }) => order.quantity - order.iccids.length))
  const found: Finding[] = []
  if (strange.length > allowed) {
    const names = strange.map(({ provider, iccid }) => `${provider} ${iccid}`)
    found.push({ subject: 'providers', what: `eSIMs held for no order: ${names.join(', ')}` })
  }
  if (strange.length < allowed) {
    const names = unseen.map(({ order }) => order.name)
    found.push({
      subject: names.join(', '),
      what: `paid before the deletion, and ${allowed - strange.length} eSIMs are held by nobody`,
    })
  }
  const topUps = all.filter(({ order }) => order.isTopUp)
  const applied = topUps.filter(({ order }) => deliveredEnds.includes(order.status)).length
  // Of an erased account: under way when it was seen for the last time.
  const perhaps = topUps.filter(({ order, isGone }) => isGone && !isOver(order)).length
  // Its provider was silent until the order was given up; no provider takes data back.
  const anyway = topUps.filter(
    ({ order }) => appliedAnyway.includes(order.orderId) && !deliveredEnds.includes(order.status),
  ).length
  if (books.topUps.length < applied || books.topUps.length > applied + perhaps + anyway) {
    const what = `${books.topUps.length} top-ups applied, ${applied} delivered`
    found.push({ subject: 'providers', what: [what, ...toppedUpOtherwise(books, all)].join('; ') })
  }
  const orderIds = new Set(all.map(({ order }) => order.orderId))
  for (const { id, orderId, succeeded } of books.payments)
    if (succeeded && !orderIds.has(orderId)) found.push({ subject: id, what: 'a payment for no order' })
  return found
}

/**
 * The app backend gets an event of each acknowledged order's beginning and of its end. Those of a lost database end
 * with it: an event reports the restore, and the app backend reads again what lived then.
 */
function eventFaults(said: Acknowledgements): Finding[] {
  const { orders, events } = said
  const gone = goneAccounts(said)
  const typesOf = new Map<string | null, string[]>()
  for (const { orderId, type } of events) typesOf.set(orderId, [...(typesOf.get(orderId) ?? []), type])
  const restores = events.filter(({ type }) => type === 'service.restored').length
  const unreported = said.losses.length - restores
  const found = unreported === 0 ? [] : [{ subject: 'app backend', what: `was not told of ${unreported} restores` }]
  const isReadAgain = ({ begunAt, changedAt }: Order): boolean =>
    said.losses.some(({ from, until }) => begunAt <= until && changedAt >= from)
  const ofOrders = orders
    .filter(({ accountId }) => !gone.has(accountId))
    .flatMap((order) => {
      const { name, orderId, status, bounces } = order
      const types = typesOf.get(orderId) ?? []
      const made = types.filter((type) => type === 'order.created').length
      const ends = types.filter((type) => type === `order.${status}`).length
      // The app backend gets events of a rebuilt row again.
      const most = 1 + restores
      // A refund that the bank has returned is made again.
      const times = 1 + (status === 'refunded' ? bounces : 0)
      const isComplete = isReadAgain(order) ? made <= most && ends <= most * times : made === 1 && ends === times
      return isComplete
        ? []
        : [{ subject: name, what: `${made} events of its beginning and ${ends} of its end as ${status}` }]
    })
  return [...found, ...ofOrders]
}

/** U5: nothing is bought or delivered on a risky payment before an operator has approved it. */
export const riskyOrdersWait: Oracle = (books, { orders }) => {
  const risky = orders.filter(({ risk }) => risk === 'elevated')
  const bought = purchasesOf(books, orders)
  return risky.flatMap((order) => {
    const { name, verdict, decidedAt, iccids } = order
    const isEarly = bought.get(order)?.some(({ boughtBy }) => decidedAt !== null && boughtBy < decidedAt) ?? false
    return [
      ...(verdict !== 'approve' && iccids.length > 0 ? [{ subject: name, what: 'delivered without an approval' }] : []),
      ...(verdict === 'approve' && isEarly ? [{ subject: name, what: 'was bought before the approval' }] : []),
    ]
  })
}

/** Orders whose documents do not say what was received and kept. */
function misbooked(all: readonly Account[], { journal }: Acknowledgements): Finding[] {
  const grossOf = new Map(journal.entries.map(({ number, grossMinor }) => [number, grossMinor]))
  return all.flatMap(({ order, isGone, receivedMinor, refundedMinor }) => {
    const booked = sum(order.documents.map((number) => grossOf.get(number) ?? 0))
    const kept = receivedMinor - refundedMinor
    return isGone || booked === kept
      ? []
      : [{ subject: order.name, what: `documents of ${booked}, and ${kept} was kept` }]
  })
}

/** Member states of which the One Stop Shop is told something else than the journal says. */
function differencesOfOss({ oss, journal }: Acknowledgements): Finding[] {
  const { from, until, states } = oss
  const told = new Map<string, number>()
  for (const { country, grossMinor } of states) told.set(country, (told.get(country) ?? 0) + grossMinor)
  const booked = new Map<string, number>()
  for (const { memberState, issuedOn, grossMinor } of journal.entries)
    if (memberState !== null && issuedOn >= from && issuedOn <= until)
      booked.set(memberState, (booked.get(memberState) ?? 0) + grossMinor)
  const countries = [...new Set([...told.keys(), ...booked.keys()])]
  return countries
    .filter((country) => (told.get(country) ?? 0) !== (booked.get(country) ?? 0))
    .map((country) => ({ subject: country, what: 'the One Stop Shop is told something else than the journal says' }))
}

/** U6: documents have numbers without gaps, and their sum is what customers have paid and not got back. */
export const booksAreComplete: Oracle = (books, said) => {
  const { entries } = said.journal
  const found: Finding[] = []
  const series = new Map<string, number[]>()
  for (const { number } of entries) {
    const [, name = '', digits = ''] = /^(.*?)(\d+)$/.exec(number) ?? []
    series.set(name, [...(series.get(name) ?? []), Number(digits)])
  }
  let missing = 0
  for (const [name, numbers] of series) {
    const issued = new Set(numbers)
    if (issued.size < numbers.length) found.push({ subject: name, what: 'a number stands twice' })
    missing += Math.max(...numbers) - Math.min(...numbers) + 1 - issued.size
  }
  // A restore names the numbers whose documents are lost.
  if (missing > said.lostNumbers)
    found.push({
      subject: 'journal',
      what: `${missing} numbers are missing, ${said.lostNumbers} of them are known as lost`,
    })
  const gone = goneAccounts(said)
  const listed = new Set(entries.map(({ number }) => number))
  for (const order of said.orders) {
    for (const number of order.documents)
      if (!listed.has(number)) found.push({ subject: order.name, what: `${number} is not in the journal` })
    const isSeen = !gone.has(order.accountId) && deliveredEnds.includes(order.status)
    if (isSeen && order.documents.length !== 1 + order.partialRefunds.length)
      found.push({ subject: order.name, what: `${order.documents.length} documents` })
  }
  found.push(...misbooked(accounts(books, said), said))
  found.push(...differencesOfOss(said))
  const succeeded = new Set(books.payments.filter((payment) => payment.succeeded).map(({ id }) => id))
  const kept =
    sum(books.payments.filter((payment) => payment.succeeded).map(({ receivedMinor }) => receivedMinor)) -
    sum(books.refunds.filter(({ payment, failed }) => succeeded.has(payment) && !failed).map(({ minor }) => minor))
  const booked = sum(entries.map(({ grossMinor }) => grossMinor))
  if (booked !== kept) found.push({ subject: 'journal', what: `documents of ${booked}, ${kept} received and kept` })
  return found
}
