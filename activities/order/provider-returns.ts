/** Returns the eSIMs that a provider holds, or may hold, for an order that is not delivered. */
import type { Context } from '../../context.ts'
import type { HeldPlacement } from '../../db/order/placements.ts'
import type { EsimProvider, EsimProviderId, PlaceOrder } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure } from '../../shared/failures.ts'
import { asFailure, esimFailureTypes, sinceScheduledMs, withFailureTypes } from '../failures.ts'

export type ReturnAnswer = Awaited<ReturnType<EsimProvider['cancelUnused']>>

const inUse = { unavailable: 'ProviderUnavailable', rejected: 'EsimInUse' } as const

const minute = 60_000
const allocationCheckMs = minute
/**
 * After this, an eSIM that its provider does not find becomes an operator task: the provider has had time to correct
 * it.
 */
const notFoundIsFinalAfterMs = 7 * 24 * 60 * minute

/** Every five minutes at first, every hour later. */
const nextQueryMs = (triedForMs: number): number => Math.min(60 * minute, Math.max(5 * minute, triedForMs / 2))

/**
 * Returns one unused eSIM to its provider.
 * @param triedForMs milliseconds since the first attempt
 * @throws EsimInUse when the provider says that this eSIM cannot be returned; ProviderUnavailable in all other cases
 */
export async function cancelUnused(provider: EsimProvider, esimRef: string, triedForMs = 0): Promise<ReturnAnswer> {
  try {
    return await provider.cancelUnused(esimRef)
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    const isFinal = error.code === 'not_cancellable' || triedForMs >= notFoundIsFinalAfterMs
    throw asFailure(error, isFinal ? inUse : esimFailureTypes)
  }
}

export function createProviderReturns(context: Context) {
  const providerOf = (held: HeldPlacement): EsimProvider => context.esimProviders[held.provider as EsimProviderId]

  return {
    findPlacement,

    /**
     * Returns every eSIM of the order, also those allocated late. Repeatable, except that after an answer `requested`
     * each further call makes another request at the provider.
     * @param onReturned gets the provider's answer for each eSIM
     * @throws PlacementUnsettled or StillAllocating while the provider may still allocate eSIMs, EsimInUse
     */
    async returnEsims(
      held: HeldPlacement,
      onReturned: (esimRef: string, answer: ReturnAnswer) => Promise<void>,
    ): Promise<'never_placed' | 'given_back'> {
      const provider = providerOf(held)
      const triedForMs = sinceScheduledMs()
      const cancel = async (esimRef: string): Promise<void> =>
        onReturned(esimRef, await cancelUnused(provider, esimRef, triedForMs))
      const orderNo = held.orderNo ?? (await findPlacement(held, cancel))
      if (!orderNo) {
        if (triedForMs >= provider.settling.soughtForMs) return 'never_placed'
        throw failure('PlacementUnsettled', { nextRetryDelay: nextQueryMs(triedForMs) })
      }
      for (const esimRef of held.esimRefs ?? (await lateEsims(provider, orderNo))) await cancel(esimRef)
      return 'given_back'
    },
  }

  /**
   * Finds the order number of a placement whose reply was lost; null when the provider has none.
   * @param returnDuplicate gets each eSIM of a duplicate that a repeated request has made
   */
  async function findPlacement(
    held: HeldPlacement,
    returnDuplicate: (esimRef: string) => Promise<void>,
  ): Promise<string | null> {
    const provider = providerOf(held)
    const { clientRef, placedAfter } = held
    const found = await withFailureTypes(esimFailureTypes, () => provider.findOrder({ clientRef, placedAfter }))
    for (const duplicate of found?.duplicates ?? []) {
      const esims = await withFailureTypes(esimFailureTypes, () => provider.getEsims(duplicate))
      for (const { esimRef } of esims) await returnDuplicate(esimRef)
    }
    return found?.orderNo ?? null
  }

  /** The eSIMs that the provider allocated after the order was given up. */
  async function lateEsims(provider: EsimProvider, orderNo: string): Promise<string[]> {
    try {
      return (await provider.getEsims(orderNo)).map(({ esimRef }) => esimRef)
    } catch (error) {
      if (isProviderFailure(error, 'still_allocating'))
        throw failure('StillAllocating', { nextRetryDelay: allocationCheckMs })
      throw isProviderFailure(error) ? asFailure(error, esimFailureTypes) : error
    }
  }
}

export const placeOrderOf = ({ clientRef, packageCode, quantity, days }: HeldPlacement): PlaceOrder => ({
  clientRef,
  packageCode,
  quantity,
  ...(days !== null && { days }),
})
