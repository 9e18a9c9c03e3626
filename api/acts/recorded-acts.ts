/** Acts of operators leave an entry that says who and why, whether the API or the console was asked for them. */
import type { ApiContext } from '../../context.ts'
import { type NewOperatorAct, recordAct } from '../../db/operator/operator-acts.ts'
import { SecondOperatorRequired } from '../../db/operator/refund-sums.ts'
import { actorOf, type Caller, noteEntry } from '../http/caller.ts'
import { actOnce, type IdempotentRequest } from '../http/idempotency.ts'
import { Problem } from '../http/problem.ts'
import { whyASecondOne } from '../views/second-operator.ts'

/** Names one request: the same for each repetition of it. */
export interface RequestIds {
  requestId: string
  /** for the update of a run */
  updateId: string
  /** an earlier request under the same key was done, or may have been */
  repeated: boolean
}

/** Does an act once for each request, with an entry that says who and why. @throws Problem that refuses it */
export async function actAndRecord<Result>(
  api: ApiContext,
  caller: Caller,
  request: IdempotentRequest | undefined,
  act: Omit<NewOperatorAct, 'id' | 'operator' | 'at'>,
  perform: (ids: RequestIds) => Promise<Result>,
): Promise<Result> {
  return actOnce(request, act.accountId, (ids) =>
    recordOperatorAct(api, caller, { ...act, id: ids.requestId }, () => perform(ids)),
  )
}

/** Does an act of an operator, with an entry that says who and why. @throws Problem that refuses it */
export async function recordOperatorAct<Result>(
  api: ApiContext,
  caller: Caller,
  act: Omit<NewOperatorAct, 'operator' | 'at'>,
  perform: () => Promise<Result>,
): Promise<Result> {
  try {
    noteEntry(caller)
    return await recordAct(api, { ...act, operator: actorOf(caller), at: new Date() }, refusalOf, perform)
  } catch (error) {
    if (!(error instanceof SecondOperatorRequired)) throw error
    throw new Problem('second_operator_required', { detail: whyASecondOne(api.config, error) })
  }
}

/**
 * The entry of an act that is about no account.
 * @param subject the id of what is changed: a campaign, a breach, a version of the policy, a month, ...; null: there is
 * one alone
 * @param given.reason why, if the caller has said so
 */
export const entryOn = (
  act: string,
  subject: string | null,
  given?: { reason?: string | undefined },
): Omit<NewOperatorAct, 'id' | 'operator' | 'at'> => ({
  accountId: null,
  orderId: null,
  act,
  subject,
  reason: given?.reason ?? null,
})

/**
 * Admits a reason from operators alone, on a route that customers or the app backend call, too: nobody reads theirs.
 * @throws Problem invalid_request
 */
export function assertReasonIsOfOperator(caller: Caller, given: { reason?: string | undefined } | undefined): void {
  if (given?.reason !== undefined && caller.kind !== 'operator')
    throw new Problem('invalid_request', { errors: [{ field: 'reason', reason: 'is for operators' }] })
}

/** @returns the code of a refusal; undefined for an error after which the act may be done all the same */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Problem) || error.code === 'unavailable' || error.code === 'request_in_progress')
    return undefined
  return error.code
}
