/** Giving back what a provider holds, or may hold, for an order whose customer will not get it. */
import type { Context } from '../../context.ts'
import type { EsimProvider, EsimProviderId, PlaceOrder } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure } from '../../shared/failures.ts'
import { asFailure, esimLook, sinceScheduledMs, withFailureTypes } from '../failures.ts'

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

const inUse = { unavailable: 'ProviderUnavailable', rejected: 'EsimInUse' } as const

const minute = 60_000
const allocationCheckMs = minute
/** A provider that does not know any more what it sold us: long enough for it to mend, then an operator's. */
const notFoundIsFinalAfterMs = 7 * 24 * 60 * minute

/** Soon at first, then hourly. */
const lookAgainMs = (soughtMs: number): number => Math.min(60 * minute, Math.max(5 * minute, soughtMs / 2))

/**
 * @param soughtMs for how long it has been tried
 * @throws EsimInUse only where the provider says of this eSIM that it cannot go back; else it is asked again
 */
export async function cancelUnused(provider: EsimProvider, esimRef: string, soughtMs = 0): Promise<ReturnAnswer> {
  try {
    return await provider.cancelUnused(esimRef)
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    const isFinal = error.code === 'not_cancellable' || soughtMs >= notFoundIsFinalAfterMs
    throw asFailure(error, isFinal ? inUse : esimLook)
  }
}

export function createProviderReturns(context: Context) {
  const providerOf = (held: HeldOrder): EsimProvider => context.esimProviders[held.provider as EsimProviderId]

  return {
    findPlaced,

    /**
     * Cancels every eSIM of the order, late ones too. Repeatable but for what `returned` was told: once a provider
     * answers `requested`, each further call is another request.
     * @throws PlacementUnsettled or StillAllocating while the provider may yet come up with eSIMs, EsimInUse
     */
    async giveBack(
      held: HeldOrder,
      returned: (esimRef: string, answer: ReturnAnswer) => Promise<void>,
    ): Promise<'never_placed' | 'given_back'> {
      const provider = providerOf(held)
      const soughtMs = sinceScheduledMs()
      const cancel = async (esimRef: string): Promise<void> =>
        returned(esimRef, await cancelUnused(provider, esimRef, soughtMs))
      const orderNo = held.orderNo ?? (await findPlaced(held, cancel))
      if (!orderNo) {
        if (soughtMs >= provider.settling.soughtForMs) return 'never_placed'
        throw failure('PlacementUnsettled', { nextRetryDelay: lookAgainMs(soughtMs) })
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
    const found = await withFailureTypes(esimLook, () => provider.findOrder({ clientRef, placedAfter }))
    for (const duplicate of found?.duplicates ?? []) {
      const esims = await withFailureTypes(esimLook, () => provider.getEsims(duplicate))
      for (const { esimRef } of esims) await giveBackCopy(esimRef)
    }
    return found?.orderNo ?? null
  }

  /** What the provider allocated after we had stopped waiting. */
  async function lateEsims(provider: EsimProvider, orderNo: string): Promise<string[]> {
    try {
      return (await provider.getEsims(orderNo)).map(({ esimRef }) => esimRef)
    } catch (error) {
      if (isProviderFailure(error, 'still_allocating'))
        throw failure('StillAllocating', { nextRetryDelay: allocationCheckMs })
      throw isProviderFailure(error) ? asFailure(error, esimLook) : error
    }
  }
}

export const placeOrderOf = ({ clientRef, packageCode, quantity, days }: HeldOrder): PlaceOrder => ({
  clientRef,
  packageCode,
  quantity,
  ...(days !== null && { days }),
})
