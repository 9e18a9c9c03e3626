/** Asking an eSIM provider for what must happen once: the placement's row keeps what the answers leave open. */
import type { Context } from '../../context.ts'
import { closePlacement, forgetRequest, noteRequest, type Placement } from '../../db/order/placements.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failure } from '../../shared/failures.ts'
import { asFailure, esimLook } from '../failures.ts'
import { showOperator } from './provider-alarm.ts'

export type Asked<Answer> = { answer: Answer } | 'refused' | { later: ReturnType<typeof failure> }

/**
 * Makes a request, for the first time or again, of which the provider shows nothing so far.
 * @param isFirst the placement was claimed for this request; otherwise the provider was just looked through in vain
 * @param finals codes of refusals that will not pass
 * @returns `refused` or `later` only where nothing that was ever asked under this reference can have been applied
 * @throws PlacementUnsettled or ProviderUnavailable where something may have been; the row stays, to be looked for
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
  const isSettled = isFirst || Date.now() - placement.last_asked_at.getTime() > provider.settling.withinMs
  if (!isSettled && !provider.repeatsSafely) throw failure('PlacementUnsettled')
  const request = isFirst ? undefined : await noteRequest(sql, placement.id)
  if (!isFirst && !request) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
  try {
    return { answer: await call() }
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    const isFinal = error.kind === 'rejected' && finals.has(error.code)
    if (error.needsOperator || (error.kind === 'rejected' && !isFinal)) await showOperator(context, error)
    if (error.kind === 'unknown_outcome') throw asFailure(error, esimLook)
    // Of this request it is certain; of those before it only the provider's books can tell.
    if (!isSettled) {
      if (request) await forgetRequest(sql, placement.id, request)
      throw failure('PlacementUnsettled', { code: error.code })
    }
    const refusal = isFinal ? error.code : null
    if (!(await closePlacement(sql, placement.id, request, refusal))) {
      throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
    }
    return refusal === null ? { later: asFailure(error, esimLook) } : 'refused'
  }
}
