/** eSIM Access as an EsimProvider. A repeated clientRef (`transactionId`) returns the same order. */

import type { z } from 'zod'
import { beginsWithOneOf } from '../../shared/prefixes.ts'
import { reportingUnlisted, unreadable } from '../codes/meaning.ts'
import { type EsimProvider, type EsimState, isUsable, type PlaceOrder } from '../esim.ts'
import { readTime } from '../esim-units.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import { maxCatalogueBytes, mentions, readEach, translateEach } from '../provider-call.ts'
import {
  MICROS_PER_PRICE,
  parseWebhook,
  readEsim,
  readListedOrders,
  readPackage,
  stateOf as readState,
} from './readings.ts'
import {
  anythingSchema,
  balanceSchema,
  createCaller,
  type EsimAccessSettings,
  type EsimPage,
  esimListSchema,
  orderSchema,
  PROVIDER,
  packageListSchema,
  packageSchema,
  placedEsimSchema,
  placedListSchema,
  type QueriedEsim,
  queriedEsimSchema,
} from './wire.ts'

const LARGEST_PAGE = 500
/** of a page of 500 eSIMs with a few top-ups each */
const maxReplyBytes = 4 * 1024 ** 2
/** How far the provider's clock may differ from ours. */
const CLOCK_MARGIN_MS = 10 * 60_000

/** The adapter of eSIM Access. @throws ProviderFailure by each call, as in providers/esim.ts */
export function createEsimAccess(settings: EsimAccessSettings): EsimProvider {
  const call = createCaller(settings)
  const reportUnlisted = reportingUnlisted(PROVIDER, settings.watch)
  const stateOf = (esim: QueriedEsim): EsimState => readState(esim, reportUnlisted)

  /** The packages that a query selects; none when it names one that the provider does not sell. */
  async function listPackages(query: { type: 'BASE' | 'TOPUP'; packageCode?: string }): Promise<unknown[]> {
    try {
      const limit = { maxReplyBytes: maxCatalogueBytes }
      return (await call('/package/list', query, packageListSchema, limit)).packageList
    } catch (error) {
      if (isProviderFailure(error, 'unknown_package')) return []
      throw error
    }
  }

  /** The eSIMs that a query selects, page by page. The provider may make smaller pages than it was asked for. */
  async function* pagesOf<Item>(selection: object, schema: z.ZodType<EsimPage<Item>>): AsyncGenerator<Item[]> {
    for (let pageNum = 1, seen = 0; ; pageNum += 1) {
      const pager = { pageNum, pageSize: LARGEST_PAGE }
      const page = await call('/esim/query', { ...selection, pager }, schema, { maxReplyBytes })
      yield page.esimList
      seen += page.esimList.length
      const total = page.pager?.total
      const isLast = total === null || total === undefined ? page.esimList.length < LARGEST_PAGE : seen >= total
      if (isLast || page.esimList.length === 0) return
    }
  }

  async function query(key: { orderNo: string } | { esimTranNo: string }): Promise<QueriedEsim[]> {
    const found: QueriedEsim[] = []
    for await (const page of pagesOf(key, esimListSchema)) found.push(...page)
    return found
  }

  async function queryOne(esimTranNo: string): Promise<QueriedEsim> {
    const [esim] = await query({ esimTranNo })
    if (!esim) throw new ProviderFailure(PROVIDER, 'rejected', 'unknown_esim')
    return esim
  }

  /**
   * The eSIMs that were allocated at or after a time, all customers' ones: an entry that cannot be read must not hide
   * the others. It may be the one that is looked for: a repeated request gets the same order.
   */
  async function* placedSince(placedAfter: string): AsyncGenerator<z.output<typeof placedEsimSchema>> {
    const since = Math.min(Date.parse(placedAfter), Date.now()) - CLOCK_MARGIN_MS
    const until = Math.max(Date.parse(placedAfter), Date.now()) + CLOCK_MARGIN_MS
    const window = { startTime: apiTime(since), endTime: apiTime(until) }
    for await (const page of pagesOf(window, placedListSchema))
      yield* readEach(page, placedEsimSchema, () => reportUnlisted('order', unreadable))
  }

  /** An eSIM that has just refused a change because of its state. @throws unavailable while no state can be read */
  async function esimAfterRefusal(esimTranNo: string): Promise<{ esim: QueriedEsim; state: EsimState }> {
    const [esim] = await query({ esimTranNo })
    if (!esim) throw new ProviderFailure(PROVIDER, 'unavailable', 'unknown_esim')
    const state = stateOf(esim)
    if (state === 'unknown') throw new ProviderFailure(PROVIDER, 'unavailable', 'wrong_state')
    return { esim, state }
  }

  /** A change that an eSIM refuses for good once it is over. @param alreadyIn the states in which it is done already */
  async function change(path: string, esimTranNo: string, alreadyIn: (state: EsimState) => boolean): Promise<boolean> {
    try {
      await call(path, { esimTranNo }, anythingSchema, { changes: true })
      return true
    } catch (error) {
      if (!isProviderFailure(error, 'wrong_state')) throw error
      const { state } = await esimAfterRefusal(esimTranNo)
      if (alreadyIn(state)) return false
      if (!isUsable({ state })) throw error
      // The refusal and the state contradict each other: one of the two is out of date.
      throw new ProviderFailure(PROVIDER, 'unavailable', 'wrong_state')
    }
  }

  async function cancel(esimTranNo: string): Promise<'cancelled' | 'already'> {
    return (await change('/esim/cancel', esimTranNo, (state) => state === 'cancelled')) ? 'cancelled' : 'already'
  }

  async function suspend(esimTranNo: string): Promise<'done'> {
    await change('/esim/suspend', esimTranNo, (state) => state === 'suspended')
    return 'done'
  }

  async function unsuspend(esimTranNo: string): Promise<'done'> {
    const running = new Set<EsimState>(['new', 'installed', 'in_use', 'used_up'])
    await change('/esim/unsuspend', esimTranNo, (state) => running.has(state))
    return 'done'
  }

  return {
    id: PROVIDER,
    repeatsSafely: true,
    checksPrice: true,
    // eSIM Access shows an order once it is allocated: usually within half a minute, at the latest within a day.
    settling: { withinMs: 10 * 60_000, soughtForMs: 24 * 60 * 60_000 },

    async listPackages(onUnreadable = () => undefined) {
      const [base, topUps] = await Promise.all([listPackages({ type: 'BASE' }), listPackages({ type: 'TOPUP' })])
      return [
        ...readEach(base, packageSchema, onUnreadable).map((each) => readPackage(each, 'base')),
        ...readEach(topUps, packageSchema, onUnreadable).map((each) => readPackage(each, 'top_up')),
      ]
    },

    async currentCost({ code, kind }) {
      const type = kind === 'base' ? 'BASE' : 'TOPUP'
      let isUnreadable = false
      const look = (entry: unknown): void => {
        isUnreadable ||= mentions(entry, code)
      }
      // As documented, the code of a package selects the top-ups that fit it; what that of a top-up selects is not said.
      for (const filter of [{ packageCode: code }, {}]) {
        const listed = await listPackages({ type, ...filter })
        const found = readEach(listed, packageSchema, look)
          .map((each) => readPackage(each, kind))
          .find((each) => each.code === code)
        if (found) return found.costCurrency === 'USD' ? found.costMicros : null
        if (isUnreadable) throw new ProviderFailure(PROVIDER, 'unavailable', 'malformed_reply')
        // An empty list of all is more likely a fault of eSIM Access, as for the catalogue.
        if (!filter.packageCode && listed.length === 0)
          throw new ProviderFailure(PROVIDER, 'unavailable', 'empty_catalogue')
      }
      return null
    },

    async placeOrder({ clientRef, packageCode, quantity, days, unitCostMicros }) {
      const price = priceOf(unitCostMicros)
      const packageInfo = {
        packageCode,
        count: quantity,
        ...(price === undefined ? {} : { price }),
        ...(days === undefined ? {} : { periodNum: days }),
      }
      const { orderNo } = await call(
        '/esim/order',
        { transactionId: clientRef, packageInfoList: [packageInfo] },
        orderSchema,
        { changes: true },
      )
      return { orderNo }
    },

    async findOrder({ clientRef, placedAfter }) {
      for await (const { transactionId, orderNo } of placedSince(placedAfter))
        if (transactionId === clientRef) return { orderNo, duplicates: [] }
      return null
    },

    async findOrdersOf(prefixes, placedAfter) {
      const found = new Map<string, { clientRef: string; orderNo: string }>()
      if (prefixes.length === 0) return []
      const isOneOf = beginsWithOneOf(prefixes)
      for await (const { transactionId: clientRef, orderNo } of placedSince(placedAfter))
        if (clientRef && isOneOf(clientRef)) found.set(orderNo, { clientRef, orderNo })
      return [...found.values()]
    },

    // The provider lists eSIMs: an order appears once it is allocated, and once for each of its eSIMs.
    async *listOrders({ from, to }, onUnreadable = () => undefined) {
      const window = { startTime: apiTime(Date.parse(from)), endTime: apiTime(Date.parse(to)) }
      const noteUnreadable = (): void => {
        reportUnlisted('order', unreadable)
        onUnreadable()
      }
      for await (const page of pagesOf(window, placedListSchema))
        yield translateEach(
          readEach(page, queriedEsimSchema, noteUnreadable),
          (esim) => readListedOrders(esim, reportUnlisted),
          noteUnreadable,
        )
    },

    async getEsims(orderNo) {
      const esims = await query({ orderNo })
      if (esims.length === 0) throw new ProviderFailure(PROVIDER, 'unavailable', 'still_allocating')
      return esims.map(readEsim)
    },

    async getStatus(esimRef) {
      const esim = await queryOne(esimRef)
      const activatedAt = esim.activateTime && readTime(PROVIDER, esim.activateTime)
      const state = stateOf(esim)
      return {
        state,
        ...(state === 'suspended' && isUntouched(esim) && { suspendedNew: true }),
        totalBytes: esim.dataType === 4 ? null : (esim.totalVolume ?? null),
        usedBytes: esim.orderUsage ?? 0,
        activatedAt,
        // Before the activation this field is the last time for the installation.
        expiresAt: activatedAt && esim.expiredTime && readTime(PROVIDER, esim.expiredTime),
      }
    },

    async topUp({ clientRef, esimRef, packageCode, days, unitCostMicros }) {
      const price = priceOf(unitCostMicros)
      const content = {
        esimTranNo: esimRef,
        packageCode,
        transactionId: clientRef,
        ...(price === undefined ? {} : { amount: String(price * (days ?? 1)) }),
        ...(days === undefined ? {} : { periodNum: String(days) }),
      }
      try {
        await call('/esim/topup', content, anythingSchema, { changes: true })
      } catch (error) {
        if (isProviderFailure(error, 'wrong_state') && (await esimAfterRefusal(esimRef)).state === 'expired') {
          throw new ProviderFailure(PROVIDER, 'rejected', 'expired')
        }
        throw error
      }
    },

    async hasTopUp({ clientRef, esimRef }) {
      const { packageList } = await queryOne(esimRef)
      return packageList?.some(({ transactionId }) => transactionId === clientRef) ?? false
    },

    async topUpsOf(prefixes, esimRef) {
      const isOneOf = beginsWithOneOf(prefixes)
      const { packageList } = await queryOne(esimRef)
      return (packageList ?? []).flatMap(({ transactionId }) =>
        transactionId && isOneOf(transactionId) ? [transactionId] : [],
      )
    },

    async cancelUnused(esimRef) {
      try {
        return await cancel(esimRef)
      } catch (error) {
        if (!isProviderFailure(error, 'wrong_state')) throw error
        const { esim, state } = await esimAfterRefusal(esimRef)
        if (state === 'cancelled') return 'already'
        if (state === 'suspended' && isUntouched(esim)) {
          // Only one that may run is cancelled. One that stays is suspended again: somebody disputes its payment. Where
          // that fails, the next look at the eSIM finds that it runs.
          await unsuspend(esimRef)
          return await cancel(esimRef).catch(async (failed: unknown) => {
            await suspend(esimRef).catch(() => undefined)
            throw failed
          })
        }
        // The refusal and the state contradict each other: one of the two is out of date.
        if (state === 'new') throw new ProviderFailure(PROVIDER, 'unavailable', 'wrong_state')
        throw new ProviderFailure(PROVIDER, 'rejected', 'not_cancellable')
      }
    },

    suspend,

    unsuspend,

    async balance() {
      const { balance } = await call('/balance/query', {}, balanceSchema)
      return { amountMicros: balance * MICROS_PER_PRICE, currency: 'USD' }
    },

    parseWebhook: (request) => parseWebhook(request, reportUnlisted),
  }
}

/** A cost that is no whole number of the provider's units cannot be in its catalogue. */
function priceOf(unitCostMicros: PlaceOrder['unitCostMicros']): number | undefined {
  if (unitCostMicros === undefined) return undefined
  if (unitCostMicros % MICROS_PER_PRICE !== 0) throw new ProviderFailure(PROVIDER, 'rejected', 'price_changed')
  return unitCostMicros / MICROS_PER_PRICE
}

/** Nobody has installed it: only then it is cancelled, and paid back (docs.esimaccess.com, "Cancel Profile"). */
const isUntouched = ({ smdpStatus, orderUsage }: QueriedEsim): boolean =>
  smdpStatus === 'RELEASED' && (orderUsage ?? 0) === 0

const apiTime = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d{3}Z$/, '+0000')
