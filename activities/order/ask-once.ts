/** Calls of an eSIM provider that must be applied at most once. The placement's row records unknown outcomes. */
import type { Context } from '../../context.ts'
import {
  closePlacement,
  noteRequest,
  type Placement,
  takeBackRequest,
  wasAskedBefore,
} from '../../db/order/placements.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure } from '../../shared/failures.ts'
import { asFailure, esimFailureTypes } from '../failures.ts'
import { raiseProviderTask } from '../provider-task.ts'

export type Asked<Answer> = { answer: Answer } | 'refused' | { later: ReturnType<typeof failure> }

/**
 * Makes a request that the provider has not applied as far as it shows, for the first time or again.
 * @param isFirst the placement was claimed for this request; otherwise a query has just not found the request
 * @param finals codes of refusals that are final
 * @returns `refused` or `later` only when no request under this reference can have been applied
 * @throws PlacementUnsettled or ProviderUnavailable when a request may have been applied; the row stays for the next
 * query
 */
export async function askOnce<Answer>(
  context: Context,
  provider: EsimProvider,
  placement: Placement,
  isFirst: boolean,
  finals: ReadonlySet<string>,
  call: () => Promise<Answer>,
): Promise<Asked<Answer>> {
  const { sql } = context
  const isSettled = isFirst || (await wasAskedBefore(sql, placement.id, provider.settling.withinMs))
  if (!isSettled && !provider.repeatsSafely) throw failure('PlacementUnsettled')
  const request = isFirst ? undefined : await noteRequest(sql, placement.id)
  if (!isFirst && !request) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
  try {
    return { answer: await call() }
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    const isFinal = error.kind === 'rejected' && finals.has(error.code)
    if (error.kind === 'rejected' && !isFinal) await raiseProviderTask(context, error)
    if (error.kind === 'unknown_outcome') throw asFailure(error, esimFailureTypes)
    // This request was not applied, but an earlier one may have been and not show yet.
    if (!isSettled) {
      if (request) await takeBackRequest(sql, placement.id, request)
      throw failure('PlacementUnsettled', { code: error.code })
    }
    const refusal = isFinal ? error.code : null
    if (!(await closePlacement(sql, placement.id, request, refusal))) {
      throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
    }
    return refusal === null ? { later: asFailure(error, esimFailureTypes) } : 'refused'
  }
}
