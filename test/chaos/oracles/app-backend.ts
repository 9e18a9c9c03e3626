/**
 * The app backend gets each event that the API lists, at each of its endpoints, validly signed, and none of anybody
 * else's (U2); and none about an erased account (G3).
 */
import type { Acknowledgements, Delivered, Endpoint, Event, Finding, OutsideBooks } from './record.ts'

/** A worker has a batch of deliveries for so long: it may have read them before something was acknowledged. */
const underWayMs = 30_000

const byId = <Item extends { id: string }>(items: readonly Item[]): Map<string, Item> =>
  new Map(items.map((item) => [item.id, item]))

/** The list has no more what came shortly before a loss of the database, and was not read any more. */
const isBeforeLoss = ({ losses }: Acknowledgements, at: number): boolean => losses.some(({ until }) => at <= until)

/** What endpoints did not get, and what they should not have got. */
export function deliveryFaults({ deliveries }: OutsideBooks, said: Acknowledgements): Finding[] {
  const nameOf = namesIn(said)
  return said.endpoints.flatMap((endpoint) => {
    const its = deliveries.filter((delivery) => delivery.endpoint === endpoint.name)
    return [...missing(endpoint, its, said, nameOf), ...strange(endpoint, its, said, nameOf)]
  })
}

type NameOf = (about: Pick<Event, 'id' | 'type' | 'orderId' | 'accountId'>) => string

/** Findings name whom an event is about, so that a broken world shrinks to these lives. */
function namesIn({ orders, people }: Acknowledgements): NameOf {
  const ofOrders = new Map(orders.map(({ orderId, name }) => [orderId, name]))
  const ofAccounts = new Map(people.map(({ accountId, name }) => [accountId, name]))
  return ({ id, type, orderId, accountId }) =>
    ofOrders.get(orderId ?? '') ?? ofAccounts.get(accountId ?? '') ?? `${type} ${id}`
}

function missing(endpoint: Endpoint, its: readonly Delivered[], said: Acknowledgements, nameOf: NameOf): Finding[] {
  const arrived = byId(its.filter(({ isSigned }) => isSigned))
  return said.events
    .filter(({ id, type, at, isLost }) => {
      const isWanted = at > endpoint.from && (endpoint.types?.includes(type) ?? true)
      return isWanted && !arrived.has(id) && !isLost
    })
    .map((event) => ({ subject: nameOf(event), what: `${event.type} has not arrived at ${endpoint.name}` }))
}

function strange(endpoint: Endpoint, its: readonly Delivered[], said: Acknowledgements, nameOf: NameOf): Finding[] {
  const { name, types } = endpoint
  const listed = byId(said.events)
  const owners = new Map(said.orders.map(({ orderId, accountId }) => [orderId, accountId]))
  // The list has no events of theirs any more.
  const gone = new Set(
    said.people.filter(({ deletion, inactive }) => deletion || inactive).map(({ accountId }) => accountId),
  )
  return its.flatMap((delivery) => {
    const { id, type, orderId, accountId, isSigned, at } = delivery
    const event = listed.get(id)
    // What happened behind the last reading has arrived as well.
    const isUnlisted = !event && at < said.eventsReadAt && !gone.has(accountId ?? '') && !isBeforeLoss(said, at)
    const isOther = event && (event.type !== type || event.orderId !== orderId || event.accountId !== accountId)
    const owner = owners.get(orderId ?? '')
    const faults = [
      ...(isSigned ? [] : [`${type} came to ${name} without a valid signature`]),
      ...(types && !types.includes(type) ? [`${type} came to ${name}, which has not asked for it`] : []),
      ...(isUnlisted ? [`${type} came to ${name}, and the API lists no such event`] : []),
      ...(isOther ? [`${type} came to ${name} with something else than the API lists`] : []),
      ...(owner !== undefined && accountId !== owner
        ? [`${type} came to ${name} with the account of somebody else`]
        : []),
    ]
    return faults.map((what) => ({ subject: nameOf(delivery), what }))
  })
}

/** Events about erased accounts that came when they were gone, apart from those that say so. */
export function toldAfterDeletion({ deliveries }: OutsideBooks, said: Acknowledgements): Finding[] {
  return said.people.flatMap(({ name, accountId, deletion }) => {
    if (!deletion) return []
    const late = deliveries.filter((delivery) => {
      const isAbout = delivery.accountId === accountId && delivery.type !== 'account.deleted'
      return isAbout && delivery.at > deletion.at + underWayMs && !isInterrupted(deletion.at, delivery.at, said)
    })
    return late.map(({ type, endpoint }) => ({ subject: name, what: `${type} came to ${endpoint} after the deletion` }))
  })
}

/** A worker that stood still meanwhile sends what it had in hand when it goes on. */
const isInterrupted = (from: number, until: number, { crashes }: Acknowledgements): boolean =>
  crashes.some((crash) => crash.until >= from && crash.from <= until)
