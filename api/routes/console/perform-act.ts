/** Does an act that an operator has sent as a form: once for each form, and with an entry that says who and why. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type NewOperatorAct, recordAct } from '../../../db/operator/operator-acts.ts'
import { actorOf, type ConsoleUser } from '../../http/caller.ts'
import { actOnce, readIdempotencyKey } from '../../http/idempotency.ts'
import { type FieldError, Problem } from '../../http/problem.ts'
import { problems } from '../../http/problems.ts'
import { taskNote } from '../operator/operator-tasks.ts'

/** The fields of each such form. What was typed is accepted here, so that the page can show it beside what is wrong. */
export const sentForm = z.strictObject({
  once: z.string().regex(/^[\w-]{1,64}$/),
  reason: z.string().trim().max(5_000),
})

/** @returns what is wrong with a typed reason */
export function faultsOfReason(reason: string): FieldError[] {
  const parsed = taskNote.min(3, 'must say why').safeParse(reason)
  return (parsed.error?.issues ?? []).map(({ message }) => ({ field: 'Reason', reason: message }))
}

/**
 * @param form.operation names the form's route
 * @param form.content what was typed: a form that was changed before it was sent again is another one
 * @returns why it could not be done; empty when it is done
 */
export async function performAct(
  api: ApiContext,
  caller: ConsoleUser,
  form: { operation: string; once: string; content: unknown },
  act: Omit<NewOperatorAct, 'id' | 'operator' | 'at'>,
  perform: (ids: { requestId: string; updateId: string }) => Promise<void>,
): Promise<FieldError[]> {
  const content = api.cipher.fingerprint('operator-form', JSON.stringify(form.content)).toString('hex')
  const request = readIdempotencyKey(api, {
    header: `${form.once}.${content}`,
    required: true,
    operation: form.operation,
    caller,
    content: form.content,
  })
  try {
    await actOnce(request, act.accountId, ({ requestId, updateId }) =>
      recordAct(api.sql, { ...act, id: requestId, operator: actorOf(caller), at: new Date() }, codeOf, () =>
        perform({ requestId, updateId }),
      ),
    )
    return []
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const { title } = problems[error.code]
    return [{ field: title, reason: error.options.detail ?? problems[error.code].meaning }]
  }
}

const codeOf = (error: unknown): string => (error instanceof Problem ? error.code : 'unknown')
