/**
 * Airalo as an EsimProvider. Airalo has no idempotency: two equal orders are two orders. Hence the clientRef is written
 * into the description, by which an order is found. `to_email` is never sent, since Airalo would mail the customer.
 */

import { beginsWithOneOf } from '../../shared/prefixes.ts'
import { reportingUnlisted, unreadable } from '../codes/meaning.ts'
import type { EsimProvider, EsimState, EsimStatus, ProviderPackage, ReturnTogether } from '../esim.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import { maxCatalogueBytes, mentions, readEach, translateEach } from '../provider-call.ts'
import { isFilled, parseWebhook, readAmount, readListedOrder, readPackages, readSim, readUsage } from './readings.ts'
import {
  type AiraloSettings,
  balanceSchema,
  createCaller,
  describedListSchema,
  describedSchema,
  listedOrderSchema,
  orderListSchema,
  orderSchema,
  PROVIDER,
  packagesSchema,
  placedSchema,
  refundSchema,
  usageSchema,
} from './wire.ts'

const DESTINATIONS_PER_PAGE = 100
const ORDERS_PER_PAGE = 100
/**
 * developers.partners.airalo.com/request-refund-14583565e0: at most five eSIMs in a request. The page has no status of
 * a request, no webhook, and no time within which the staff decides; `email`, for its questions, is not sent (P1).
 */
const ESIMS_PER_REFUND = 5
/**
 * The wait after a 429 that names none. The same page and /rate-limits-752590m0 have five requests in a minute from one
 * IP address (as copied on 2026-09-19); an older version had one in five minutes. A request that comes too early is
 * refused, and costs nothing.
 */
const REFUND_INTERVAL_MS = 60_000
/** Its days may begin earlier or later than ours. */
const DAY = 24 * 60 * 60 * 1_000

/** The adapter of Airalo. @throws ProviderFailure by each call, as in providers/esim.ts */
export function createAiralo(settings: AiraloSettings): EsimProvider {
  const call = createCaller(settings)
  const reportUnlisted = reportingUnlisted(PROVIDER, settings.watch)

  async function getStatus(iccid: string): Promise<EsimStatus> {
    const path = `/sims/${encodeURIComponent(iccid)}/usage`
    return readUsage(await named('unknown_esim', call({ method: 'GET', path, schema: usageSchema })), reportUnlisted)
  }

  /** What Airalo says of an eSIM, or has said a moment ago: its usage may be asked for ten times in a minute. */
  function stateOf(esimRef: string, states: ReturnTogether['states'] | undefined): Promise<EsimState> {
    const known = states?.get(esimRef)
    if (known) return known
    const asked = getStatus(esimRef).then(({ state }) => state)
    states?.set(esimRef, asked)
    return asked
  }

  /** Of others that are to go back, those that go with the first one: the first new ones, as many as are taken. */
  async function goTogether({ esimRefs, states }: ReturnTogether): Promise<string[]> {
    const found: string[] = []
    for (let next = 0; next < esimRefs.length && found.length < ESIMS_PER_REFUND - 1; ) {
      const looked = esimRefs.slice(next, next + ESIMS_PER_REFUND - 1 - found.length)
      next += looked.length
      const areNew = await Promise.all(looked.map((esimRef) => isSeenNew(esimRef, states)))
      found.push(...looked.filter((_esimRef, index) => areNew[index]))
    }
    return found
  }

  async function isSeenNew(esimRef: string, states: ReturnTogether['states']): Promise<boolean> {
    try {
      return (await stateOf(esimRef, states)) === 'new'
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return false
    }
  }

  /** @param filter of the query, with its leading `&` */
  async function listPackages(filter: string, onUnreadable: (entry: unknown) => void): Promise<ProviderPackage[]> {
    const all: ProviderPackage[] = []
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const path = `/packages?include=topup&limit=${DESTINATIONS_PER_PAGE}&page=${page}${filter}`
      const { data, meta, pricing } = await call({
        method: 'GET',
        path,
        schema: packagesSchema,
        maxReplyBytes: maxCatalogueBytes,
      })
      all.push(...readPackages(data, pricing?.discount_percentage ?? 0, onUnreadable))
      pages = meta?.last_page ?? 1
    }
    // Airalo lists an operator under each destination that it serves.
    return [...new Map(all.map((each) => [each.code, each])).values()]
  }

  /**
   * Pages of the orders that were placed from one day to another, in Airalo's time.
   * developers.partners.airalo.com/get-order-list-11883022e0: `filter[created_at]` has two days, both included.
   */
  async function* ordersOfDays(from: string, to: string): AsyncGenerator<unknown[]> {
    const days = `${from.slice(0, 10)} - ${to.slice(0, 10)}`
    const filter = { include: 'status', 'filter[created_at]': days, limit: String(ORDERS_PER_PAGE) }
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const query = new URLSearchParams({ ...filter, page: String(page) })
      const { data, meta } = await call({ method: 'GET', path: `/orders?${query}`, schema: orderListSchema })
      yield data
      pages = meta?.last_page ?? 1
    }
  }

  /** The orders of a type whose description contains a text, the oldest first. What was not filled is left out. */
  async function findDescribed(text: string, type: 'sim' | 'topup'): Promise<{ id: string; description: string }[]> {
    const found: { id: string; description: string }[] = []
    for (let page = 1, pages = 1; page <= pages; page += 1) {
      const query = new URLSearchParams({ include: 'status', 'filter[description]': text, page: String(page) })
      const { data, meta } = await call({ method: 'GET', path: `/orders?${query}`, schema: describedListSchema })
      for (const order of data)
        if (order.type === type && isFilled(order, reportUnlisted))
          found.push({ id: order.id, description: order.description ?? '' })
      pages = meta?.last_page ?? 1
    }
    return found.sort((a, b) => Number(a.id) - Number(b.id))
  }

  /** The numbers of the orders of a type with exactly this description, the oldest first. */
  async function findByDescription(description: string, type: 'sim' | 'topup'): Promise<string[]> {
    const found = await findDescribed(description, type)
    const numbers = found.filter((each) => each.description === description).map(({ id }) => id)
    // An order that is listed twice is no duplicate of itself.
    return [...new Set(numbers)]
  }

  return {
    id: PROVIDER,
    repeatsSafely: false,
    checksPrice: false,
    // Airalo makes orders synchronously and lists them at once.
    settling: { withinMs: 60_000, soughtForMs: 15 * 60_000 },

    listPackages: (onUnreadable = () => undefined) => listPackages('', onUnreadable),

    async currentCost({ code, destinations: [country = '', ...others] }) {
      // Packages of several countries count as global. A package that the filter leaves out is searched in the whole
      // list.
      let isUnreadable = false
      const look = (entry: unknown): void => {
        isUnreadable ||= mentions(entry, code)
      }
      for (const filter of [others.length > 0 ? '&filter[type]=global' : `&filter[country]=${country}`, '']) {
        const listed = await listPackages(filter, look)
        const found = listed.find((each) => each.code === code)
        if (found) return found.costMicros
        if (isUnreadable) throw new ProviderFailure(PROVIDER, 'unavailable', 'malformed_reply')
        // An empty list of all is more likely a fault of Airalo, as for the catalogue.
        if (filter === '' && listed.length === 0) throw new ProviderFailure(PROVIDER, 'unavailable', 'empty_catalogue')
      }
      return null
    },

    async placeOrder({ clientRef, packageCode, quantity }) {
      const form = { package_id: packageCode, quantity: String(quantity), type: 'sim', description: clientRef }
      const { data } = await call({ method: 'POST', path: '/orders', form, schema: placedSchema })
      return { orderNo: data.id }
    },

    async findOrder({ clientRef }) {
      const [orderNo, ...duplicates] = await findByDescription(clientRef, 'sim')
      return orderNo === undefined ? null : { orderNo, duplicates }
    },

    async *listOrders({ from, to }, onUnreadable = () => undefined) {
      const noteUnreadable = (): void => {
        reportUnlisted('order', unreadable)
        onUnreadable()
      }
      for await (const orders of ordersOfDays(from, to))
        yield translateEach(
          readEach(orders, listedOrderSchema, noteUnreadable),
          (order) => [readListedOrder(order, reportUnlisted)],
          noteUnreadable,
        )
    },

    // A search for each prefix would take a call for each order: a restore keeps everybody waiting meanwhile.
    async findOrdersOf(prefixes, placedAfter) {
      if (prefixes.length === 0) return []
      const isOneOf = beginsWithOneOf(prefixes)
      const found = new Map<string, { clientRef: string; orderNo: string }>()
      const from = new Date(Date.parse(placedAfter) - DAY).toISOString()
      const to = new Date(Date.now() + DAY).toISOString()
      for await (const orders of ordersOfDays(from, to))
        for (const order of readEach(orders, describedSchema, () => undefined)) {
          const { id, type, description } = order
          if (type === 'sim' && description && isOneOf(description) && isFilled(order, reportUnlisted))
            found.set(id, { clientRef: description, orderNo: id })
        }
      return [...found.values()].sort((a, b) => Number(a.orderNo) - Number(b.orderNo))
    },

    async getEsims(orderNo) {
      const path = `/orders/${encodeURIComponent(orderNo)}?include=sims`
      const { data } = await named('unknown_order', call({ method: 'GET', path, schema: orderSchema }))
      if (data.sims.length === 0) throw new ProviderFailure(PROVIDER, 'unavailable', 'still_allocating')
      return data.sims.map(readSim)
    },

    getStatus,

    async topUp({ clientRef, esimRef, packageCode }) {
      const form = { package_id: packageCode, iccid: esimRef, description: clientRef }
      // Any other reply is not Airalo's, and says nothing about the top-up.
      await call({ method: 'POST', path: '/orders/topups', form, schema: placedSchema })
    },

    hasTopUp: async ({ clientRef }) => (await findByDescription(clientRef, 'topup')).length > 0,

    async topUpsOf(prefixes) {
      const found: string[] = []
      for (const prefix of prefixes)
        for (const { description } of await findDescribed(prefix, 'topup'))
          if (description.startsWith(prefix)) found.push(description)
      return found
    },

    async cancelUnused(esimRef, together) {
      const state = await stateOf(esimRef, together?.states)
      if (state === 'cancelled') return 'already'
      if (state === 'unknown') throw new ProviderFailure(PROVIDER, 'unavailable', 'unknown_state')
      if (state !== 'new') throw new ProviderFailure(PROVIDER, 'rejected', 'not_cancellable')
      const others = together ? await goTogether(together) : []
      for (const other of others) together?.onAsked(other)
      const form = { iccids: JSON.stringify([esimRef, ...others]), reason: 'CHANGE_OF_PLAN' }
      const { data } = await named(
        'unknown_esim',
        call({ method: 'POST', path: '/refund', form, schema: refundSchema }),
      ).catch((error: unknown) => {
        if (isProviderFailure(error, 'bad_request')) throw refundRefused()
        if (!isProviderFailure(error, 'rate_limited') || error.retryAfterMs !== undefined) throw error
        throw new ProviderFailure(PROVIDER, error.kind, error.code, { retryAfterMs: REFUND_INTERVAL_MS })
      })
      // Airalo documents refusals with status 202: then no refund was requested.
      if (!('refund_id' in data)) throw refundRefused()
      return 'requested'
    },

    suspend: async () => 'unsupported',
    unsuspend: async () => 'unsupported',

    async balance() {
      const { data } = await call({ method: 'GET', path: '/balance', schema: balanceSchema })
      const { amount, currency } = data.balances.availableBalance
      return { amountMicros: readAmount(amount), currency }
    },

    parseWebhook: (request) => parseWebhook(request, settings.clientSecret),
  }
}

const refundRefused = () => new ProviderFailure(PROVIDER, 'misconfigured', 'refund_refused')

/** Replaces the code of a 404 by one that names the missing thing. */
async function named<T>(code: 'unknown_order' | 'unknown_esim', reply: Promise<T>): Promise<T> {
  try {
    return await reply
  } catch (error) {
    if (isProviderFailure(error, 'not_found')) throw new ProviderFailure(PROVIDER, 'rejected', code)
    throw error
  }
}
