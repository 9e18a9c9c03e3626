/** Returns the eSIMs that a provider holds, or may hold, for an order. */
import type { Context } from '../../context.ts'
import type { Database } from '../../db/connection/database.ts'
import { listOpenTasksAbout, type NewOperatorTask } from '../../db/operator-tasks.ts'
import { lockUnreturned, noteReturnAsked } from '../../db/order/esims/returned-esims.ts'
import { esimRefIndex, type StoredEsim, withoutOthers } from '../../db/order/esims.ts'
import { hasPaidTopUps } from '../../db/order/orders.ts'
import type { HeldPlacement } from '../../db/order/placements.ts'
import { finalFor } from '../../providers/codes/esim.ts'
import type { EsimProvider, EsimState, PlaceOrder } from '../../providers/esim.ts'
import { isProviderFailure, type ProviderFailure } from '../../providers/failure.ts'
import { failure, failureType } from '../../shared/failures.ts'
import { mapUntilFault } from '../../shared/map-until-fault.ts'
import type { LeftToOperators } from '../../workflows/order/order.contract.ts'
import { asFailure, esimFailureTypes, sinceScheduledMs, withFailureTypes } from '../failures.ts'

type ReturnAnswer = Awaited<ReturnType<EsimProvider['cancelUnused']>>

/** Where it is kept what a provider's staff was asked about the eSIMs of a placement. */
export interface ReturnRecord {
  /**
   * Adds what became of a request to what is kept with the placement, before the provider is asked again, and notifies
   * operators.
   */
  keep(asked: KeptReturn): Promise<void>
  /**
   * Asks while nobody else asks about this placement: two at the same time would make two requests.
   * @param ask gets the marks that are kept by now
   * @throws ProviderUnavailable while somebody else asks
   */
  alone?<Answer>(ask: (kept: readonly string[]) => Promise<Answer>): Promise<Answer>
}

interface KeptReturn {
  /** of the eSIMs in the request */
  marks: readonly string[]
  /** missing: nobody has to look at it */
  task?: Pick<NewOperatorTask, 'kind' | 'detail'>
}

/** The eSIMs that are to go back with one of them. */
interface Together {
  esimRefs: readonly string[]
  /** what their provider has said of them a moment ago */
  states?: ReadonlyMap<string, EsimState>
}

interface Returned {
  outcome: 'never_placed' | 'given_back'
  /** how many have gone back of those that were ordered, when the provider may still make the others */
  missing?: string
}

const inUse = { unavailable: 'ProviderUnavailable', rejected: 'EsimInUse' } as const

/** The operator task of eSIMs that a provider keeps, or may make later. */
export const unreturned = 'provider_order_unreturned'
/** The operator task of a request that a provider's staff decides about: the customer's refund does not wait for it. */
const requested = { kind: 'provider_refund_requested' } as const
/** What an order has left to operators of its providers. */
export async function leftToOperators(sql: Database, orderId: string): Promise<LeftToOperators | undefined> {
  const open = await listOpenTasksAbout(sql, orderId, [unreturned, requested.kind])
  if (open.length === 0) return undefined
  return { tasks: open.map(({ kind, detail }) => ({ kind, ...(detail !== null && { detail }) })) }
}
/** Ends the marks of eSIMs that were refused in one request with others: each of them is asked for alone. */
const refusedTogether = '!'

/**
 * The requests for one eSIM whose answers may be lost: no provider lists them, so that nobody can check whether one was
 * made. More would be the same work for its staff once more; fewer would leave the eSIM with us when none has arrived.
 */
const unsureRequests = 3

/**
 * Of an order's eSIMs, of which a provider is asked side by side: ten, one after the other, take longer at a slow one
 * than an attempt may, and the next attempt begins with the first again. Airalo takes five requests in a second.
 */
export const esimsAtOnce = 5

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
export async function cancelUnused(
  provider: Pick<EsimProvider, 'cancelUnused'>,
  esimRef: string,
  triedForMs = 0,
): Promise<ReturnAnswer> {
  try {
    return await provider.cancelUnused(esimRef)
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    const isFinal = error.code === 'not_cancellable' || triedForMs >= notFoundIsFinalAfterMs
    throw asFailure(error, isFinal ? inUse : esimFailureTypes)
  }
}

/**
 * U2: notes the return of the eSIMs unless a top-up is paid, in one transaction that holds their rows. A top-up is paid
 * before it is checked whether its eSIM is being returned, and that query waits for such a transaction
 * (`isBeingReturned`): of the two exactly one gives way, since a returned eSIM would lose the data that the customer
 * has paid for. What is noted already is not asked again: every top-up has given way to it since.
 * @throws EsimInUse when a top-up of one of them is paid
 */
export async function claimReturn(sql: Database, orderId: string, esims: StoredEsim[], at: Date): Promise<void> {
  await sql.begin(async (tx) => {
    const unclaimed = await lockUnreturned(
      tx,
      esims.map(({ id }) => id),
    )
    if (unclaimed.length === 0) return
    if (await hasPaidTopUps(tx, orderId)) throw failure('EsimInUse', { code: 'topped_up' })
    for (const id of unclaimed) await noteReturnAsked(tx, id, at)
  })
}

/**
 * Returns of eSIMs to their providers, for whatever asks for one: the order's own run, a partial refund, a deletion.
 */
export function createProviderReturns(context: Context) {
  const providerOf = (held: HeldPlacement): EsimProvider => context.esimProviders[held.provider]

  return {
    findPlacement,
    asking,

    /**
     * Returns every eSIM of the order, also those allocated late, and those of its duplicates. Repeatable.
     * @throws PlacementUnsettled or StillAllocating while the provider may still allocate eSIMs, EsimInUse
     */
    async returnEsims(held: HeldPlacement, record: ReturnRecord): Promise<Returned> {
      const provider = providerOf(held)
      const triedForMs = sinceScheduledMs()
      const { orderNo, duplicates } = await findPlacement(held)
      if (!orderNo) {
        if (triedForMs >= provider.settling.soughtForMs) return { outcome: 'never_placed' }
        throw failure('PlacementUnsettled', { nextRetryDelay: nextQueryMs(triedForMs) })
      }
      const faults: unknown[] = []
      // What cannot be listed now keeps nothing back.
      const unlessFault = (listing: Promise<string[]>): Promise<string[]> =>
        listing.catch((error: unknown) => {
          faults.push(error)
          return []
        })
      const esimRefs = held.esimRefs ?? (await unlessFault(ownOf(held, lateEsims(provider, orderNo))))
      const copies = await unlessFault(ownOf(held, esimsOf(provider, duplicates)))
      faults.push(...(await returnEach(held, record, [...copies, ...esimRefs])))
      throwOf(faults)
      // The provider makes the others later, and nobody else would return them.
      const isPart = held.esimRefs === null && esimRefs.length < held.quantity
      if (isPart && triedForMs < provider.settling.soughtForMs)
        throw failure('StillAllocating', { code: 'too_few_esims', nextRetryDelay: nextQueryMs(triedForMs) })
      return { outcome: 'given_back', ...(isPart && { missing: `${esimRefs.length} of ${held.quantity} eSIMs` }) }
    },

    /**
     * Returns the eSIMs of orders that a repeated request has made beside the one of the placement. Repeatable.
     * @throws ProviderUnavailable, EsimInUse
     */
    async returnDuplicates(held: HeldPlacement, duplicates: readonly string[], record: ReturnRecord): Promise<void> {
      throwOf(await returnEach(held, record, await ownOf(held, esimsOf(providerOf(held), duplicates))))
    },
  }

  /** Asks for the return of each eSIM, whatever becomes of the others. @returns the failures */
  async function returnEach(
    held: HeldPlacement,
    record: ReturnRecord,
    esimRefs: readonly string[],
  ): Promise<unknown[]> {
    const triedForMs = sinceScheduledMs()
    const faults: unknown[] = []
    const asked = asking(held, record, { esimRefs })
    await mapUntilFault(
      esimRefs,
      (esimRef) =>
        cancelUnused(asked, esimRef, triedForMs).catch((error: unknown) => {
          faults.push(error)
        }),
      // Of those that go back together the first asks for all.
      { concurrency: providerOf(held).repeatsSafely ? esimsAtOnce : 1 },
    )
    return faults
  }

  /**
   * The provider of a placement, which is asked once for the return of an eSIM if its staff decides about that. What it
   * refuses together is asked for one by one, and what it refuses alone is an operator's: the customer is owed nothing
   * less by it.
   * @param together all eSIMs that are to go back, for a provider that takes several in one request
   */
  function asking(
    held: HeldPlacement,
    { keep, alone }: ReturnRecord,
    together: Together = { esimRefs: [] },
  ): Pick<EsimProvider, 'cancelUnused'> {
    const provider = providerOf(held)
    const markOf = (esimRef: string): string => esimRefIndex(context, held.provider, esimRef).toString('hex')
    const isAsked = (esimRef: string): boolean => {
      const mark = markOf(esimRef)
      return asked.includes(mark) || asked.filter((each) => each === `${mark}?`).length >= unsureRequests
    }
    const isRefusedTogether = (esimRef: string): boolean => asked.includes(`${markOf(esimRef)}${refusedTogether}`)
    const states = new Map<string, Promise<EsimState>>()
    for (const [esimRef, state] of together.states ?? []) states.set(esimRef, Promise.resolve(state))
    let asked: readonly string[] = held.returnsAsked ?? []
    /** The next eSIM would ask for all of them again, while nobody knows about the request for them. */
    let unanswered: unknown
    const note = (esimRefs: readonly string[], suffix: string, task?: KeptReturn['task']): Promise<void> => {
      const marks = esimRefs.map((esimRef) => `${markOf(esimRef)}${suffix}`)
      asked = [...asked, ...marks]
      return keep({ marks, ...(task && { task }) })
    }

    async function ask(esimRef: string): Promise<ReturnAnswer> {
      if (isAsked(esimRef)) return 'already'
      const inRequest = [esimRef]
      const mayJoin = (each: string): boolean => each !== esimRef && !isAsked(each) && !isRefusedTogether(each)
      const esimRefs = isRefusedTogether(esimRef) ? [] : together.esimRefs.filter(mayJoin)
      const onAsked = (each: string): void => void inRequest.push(each)
      try {
        const answer = await provider.cancelUnused(esimRef, { esimRefs, states, onAsked })
        if (answer === 'requested') await note(inRequest, '', requested)
        return answer
      } catch (error) {
        if (provider.repeatsSafely || !isProviderFailure(error)) throw error
        if (inRequest.length > 1 && isRefusal(error)) {
          await note(inRequest, refusedTogether)
          return ask(esimRef)
        }
        if (finalFor.return.has(error.code)) {
          await note(inRequest, '', { kind: unreturned, detail: error.code })
          return 'already'
        }
        if (error.kind === 'unknown_outcome') await note(inRequest, '?', requested)
        if (error.kind === 'unknown_outcome' || error.code === 'rate_limited') unanswered = error
        throw error
      }
    }

    return {
      async cancelUnused(esimRef) {
        if (isAsked(esimRef)) return 'already'
        if (unanswered !== undefined) throw unanswered
        if (provider.repeatsSafely || !alone) return ask(esimRef)
        return alone((kept) => {
          asked = kept
          return ask(esimRef)
        })
      },
    }
  }

  /**
   * Finds the order number of a placement whose reply was lost; null when the provider has none. `duplicates`: the
   * numbers of other orders that a repeated request has made.
   */
  async function findPlacement(held: HeldPlacement): Promise<{ orderNo: string | null; duplicates: string[] }> {
    const { clientRef, placedAfter, orderNo } = held
    if (orderNo !== null) return { orderNo, duplicates: [] }
    const found = await withFailureTypes(esimFailureTypes, () => providerOf(held).findOrder({ clientRef, placedAfter }))
    return found ?? { orderNo: null, duplicates: [] }
  }

  /**
   * Of eSIMs that a provider lists, each once, those that may go back: one that it has given to somebody else as well
   * stays with them.
   */
  async function ownOf(held: HeldPlacement, listed: Promise<string[]>): Promise<string[]> {
    return withoutOthers(context, held, [...new Set(await listed)])
  }

  /** The eSIMs of some of a provider's orders. */
  async function esimsOf(provider: EsimProvider, orderNos: readonly string[]): Promise<string[]> {
    const esimRefs: string[] = []
    for (const orderNo of orderNos) {
      const esims = await withFailureTypes(esimFailureTypes, () => provider.getEsims(orderNo))
      esimRefs.push(...esims.map(({ esimRef }) => esimRef))
    }
    return esimRefs
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

/** Whether no request was made, and the same one would be refused again. */
const isRefusal = ({ kind, code }: ProviderFailure): boolean => kind === 'rejected' || finalFor.return.has(code)

/** One that is in use, or of which its provider does not speak, must not keep the others with its customer. */
function throwOf(faults: readonly unknown[]): void {
  if (faults.length > 0) throw faults.find((error) => failureType(error) !== 'EsimInUse') ?? faults[0]
}

/** The call by which a placement is asked for, the same at each attempt. */
export const placeOrderOf = ({ clientRef, packageCode, quantity, days }: HeldPlacement): PlaceOrder => ({
  clientRef,
  packageCode,
  quantity,
  ...(days !== null && { days }),
})
