/** Does an act that an operator has sent as a form: once for each form, and with an entry that says who and why. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import type { NewOperatorAct } from '../../../db/operator/operator-acts.ts'
import { actAndRecord, type RequestIds } from '../../acts/recorded-acts.ts'
import type { ConsoleUser } from '../../http/caller.ts'
import { problemOfOutage } from '../../http/error-handler.ts'
import { readIdempotencyKey } from '../../http/idempotency.ts'
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
    const problem = error instanceof Problem ? error : problemOfOutage(error)
    if (!problem) throw error
    const { title, meaning } = problems[problem.code]
    return [{ field: title, reason: words[problem.code] ?? problem.options.detail ?? meaning }]
  }
}

const unknownYet = 'It is not known yet whether it was done. Send this form again unchanged: it is never done twice.'

/** Advice after outcomes that are no refusal. */
const words: Partial<Record<ProblemCode, string>> = {
  unavailable: unknownYet,
  request_in_progress: unknownYet,
  idempotency_key_reused:
    'The form was sent before with other fields, and that may be under way still or done. Look at what happened on the page that this one leads back to, before you open the form anew.',
}
