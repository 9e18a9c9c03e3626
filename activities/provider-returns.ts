/** Giving back what a provider holds, or may hold, for an order whose customer will not get it. */
import type { Context } from '../context.ts'
import type { EsimProvider, EsimProviderId, PlaceOrder } from '../providers/esim.ts'
import { isProviderFailure } from '../providers/failure.ts'
import { failure } from '../workflows/failures.ts'
import { asFailure, esimProvider as esimTerms, inTermsOf } from './failures.ts'

/** All that is known of an order at a provider; nothing of it leads to a person. */
export interface HeldOrder {
  provider: string
  clientRef: string
  packageCode: string
  quantity: number
  /** of packages sold by the day */
  days: number | null
  /** null: its reply was lost, so it may or may not have been placed */
  orderNo: string | null
  /** ISO 8601, real time */
  placedAfter: string
  /** null: not known yet what was allocated */
  esimRefs: string[] | null
}

export type ReturnAnswer = Awaited<ReturnType<EsimProvider['cancelUnused']>>

export const inUse = { unavailable: 'ProviderUnavailable', rejected: 'EsimInUse' } as const

/** A placement whose reply was lost may show up late; after so many looks it never came to be. */
const looksForLostPlacement = 4
const lookAgainMs = 5 * 60_000
const allocationCheckMs = 60_000

export function createProviderReturns(context: Context) {
  const providerOf = (held: HeldOrder): EsimProvider => context.esimProviders[held.provider as EsimProviderId]

  return {
    findPlaced,

    /**
     * Cancels every eSIM of the order, late ones too. Repeatable but for what `returned` was told: once a provider
     * answers `requested`, each further call is another request.
     * @param attempt of the activity, from 1
     * @throws PlacementUnsettled or StillAllocating while the provider may yet come up with eSIMs, EsimInUse
     */
    async giveBack(
      held: HeldOrder,
      attempt: number,
      returned: (esimRef: string, answer: ReturnAnswer) => Promise<void>,
    ): Promise<'never_placed' | 'given_back'> {
      const provider = providerOf(held)
      const cancel = async (esimRef: string): Promise<void> =>
        returned(esimRef, await inTermsOf(inUse, () => provider.cancelUnused(esimRef)))
      const orderNo = held.orderNo ?? (await findPlaced(held, cancel)) ?? (await placeAgain(held))
      if (!orderNo) {
        if (!provider.repeatsSafely && attempt < looksForLostPlacement)
          throw failure('PlacementUnsettled', { nextRetryDelay: lookAgainMs })
        return 'never_placed'
      }
      for (const esimRef of held.esimRefs ?? (await lateEsims(provider, orderNo))) await cancel(esimRef)
      return 'given_back'
    },
  }

  /**
   * What was placed although its reply was lost.
   * @param giveBackCopy gets each eSIM of a copy that a repeated request may have made
   */
  async function findPlaced(held: HeldOrder, giveBackCopy: (esimRef: string) => Promise<void>): Promise<string | null> {
    const provider = providerOf(held)
    const { clientRef, placedAfter } = held
    const found = await inTermsOf(esimTerms, () => provider.findOrder({ clientRef, placedAfter }))
    for (const duplicate of found?.duplicates ?? []) {
      const esims = await inTermsOf(esimTerms, () => provider.getEsims(duplicate))
      for (const { esimRef } of esims) await giveBackCopy(esimRef)
    }
    return found?.orderNo ?? null
  }

  /**
   * A provider that shows an order only once it is allocated may hold one that `findOrder` cannot see. Where a repeated
   * request is the same request, repeating it is the way to learn the order's number.
   */
  async function placeAgain(held: HeldOrder): Promise<string | null> {
    const provider = providerOf(held)
    if (!provider.repeatsSafely) return null
    try {
      return (await provider.placeOrder(placeOrderOf(held))).orderNo
    } catch (error) {
      if (isProviderFailure(error) && error.kind === 'rejected') return null
      throw isProviderFailure(error) ? asFailure(error, esimTerms) : error
    }
  }

  /** What the provider allocated after we had stopped waiting. */
  async function lateEsims(provider: EsimProvider, orderNo: string): Promise<string[]> {
    try {
      return (await provider.getEsims(orderNo)).map(({ esimRef }) => esimRef)
    } catch (error) {
      if (isProviderFailure(error, 'still_allocating'))
        throw failure('StillAllocating', { nextRetryDelay: allocationCheckMs })
      throw isProviderFailure(error) ? asFailure(error, inUse) : error
    }
  }
}

export const placeOrderOf = ({ clientRef, packageCode, quantity, days }: HeldOrder): PlaceOrder => ({
  clientRef,
  packageCode,
  quantity,
  ...(days !== null && { days }),
})
