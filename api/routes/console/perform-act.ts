/** Does an act that an operator has sent as a form: once for each form, and with an entry that says who and why. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type NewOperatorAct, recordAct } from '../../../db/operator/operator-acts.ts'
import { acceptDispute, SecondOperatorRequired } from '../../../db/operator/refund-sums.ts'
import { actorOf, type Caller, type ConsoleUser, noteEntry } from '../../http/caller.ts'
import { actOnce, type IdempotentRequest, readIdempotencyKey } from '../../http/idempotency.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { type ProblemCode, problems } from '../../http/problems.ts'
import { taskNote } from '../../views/operator-words.ts'

/** The fields of each such form. Any typed text is accepted here, so that the page can show it beside its fault. */
export const sentForm = z.strictObject({
  once: z.string().regex(/^[\w-]{1,64}$/),
  reason: z.string().trim().max(5_000),
})

/** @returns what is wrong with a typed reason. Of one that is too short the last of its limits says so in words. */
export function faultsOfReason(reason: string): FieldError[] {
  const parsed = taskNote.min(3, 'must say why').safeParse(reason)
  return (parsed.error?.issues.slice(-1) ?? []).map(({ message }) => ({ field: 'Reason', reason: message }))
}

/** Names one request: the same for each repetition of it. */
export interface RequestIds {
  requestId: string
  /** for the update of a run */
  updateId: string
  /** an earlier request under the same key was done, or may have been */
  repeated: boolean
}

/**
 * Does an act that needs a reason. The form's one-time value alone identifies the act: a form that is changed, and sent
 * again after an unknown outcome, does no second act, such as a second refund.
 * @param form.operation names the form's route
 * @param form.content what was typed
 * @param form.faults what is wrong with its other fields
 * @returns nothing when the act is done. Otherwise the faults of the form, with which nothing is done, or why the act
 * was not done, or may not have been
 */
export async function performAct(
  api: ApiContext,
  caller: ConsoleUser,
  form: { operation: string; once: string; content: unknown; faults?: readonly FieldError[] },
  act: Omit<NewOperatorAct, 'id' | 'operator' | 'at'> & { reason: string },
  perform: (ids: RequestIds) => Promise<void>,
): Promise<FieldError[]> {
  const faults = [...(form.faults ?? []), ...faultsOfReason(act.reason)]
  if (faults.length > 0) return faults
  const request = readIdempotencyKey(api, {
    header: form.once,
    required: true,
    operation: form.operation,
    caller,
    content: form.content,
  })
  try {
    await actAndRecord(api, caller, request, act, perform)
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { title, meaning } = problems[error.code]
    return [{ field: title, reason: words[error.code] ?? error.options.detail ?? meaning }]
  }
}

const unknownYet = 'It is not known yet whether it was done. Send this form again unchanged: it is never done twice.'

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

function remedyOf(of: SecondOperatorRequired['of'], act: string): string {
  if (act === acceptDispute) return 'Ask another operator to accept it within the day: with both it is done.'
  if (of === 'operator') return 'Ask another operator to do it, or prepare a bulk refund that another one starts.'
  return 'Prepare a bulk refund that another operator starts.'
}

function whyASecondOne(
  { SECOND_OPERATOR_ABOVE_MINOR: limit }: Pick<ApiContext['config'], 'SECOND_OPERATOR_ABOVE_MINOR'>,
  { of, act, beforeMinor, minor }: SecondOperatorRequired,
): string {
  const [most, before, now] = [limit, beforeMinor, minor].map((sum) => (sum / 100).toFixed(2))
  const whose = of === 'operator' ? 'You, or a key that may be yours, refunded' : 'Of this order operators refunded'
  return `Within 24 hours one operator alone refunds up to ${most}, all currencies added. ${whose} ${before} before, and this is ${now} more. ${remedyOf(of, act)}`
}

/** Advice after outcomes that are no refusal. */
const words: Partial<Record<ProblemCode, string>> = {
  unavailable: unknownYet,
  request_in_progress: unknownYet,
  idempotency_key_reused:
    'The form was sent before with other fields, and that may be under way still or done. Look at what happened on the page that this one leads back to, before you open the form anew.',
}

/** @returns the code of a refusal; undefined for an error after which the act may be done all the same */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Problem) || error.code === 'unavailable' || error.code === 'request_in_progress')
    return undefined
  return error.code
}
