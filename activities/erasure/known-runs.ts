/** The workflow ids of an erased person's runs, which are in the seal until nothing of the person is left here. */
import type { Context } from '../../context.ts'
import { openSecret } from '../../db/erasure/deletion-seals.ts'
import { withoutOthers } from '../../db/erasure/erased-rows.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'

/** Without those that another account has by now; none once the seal has them no more. */
export async function knownWorkflowIds(context: Context, receiptId: string): Promise<string[]> {
  const { sql } = context
  const trace = await openSecret(sql, context, receiptId, 'trace')
  if (!trace) return []
  const { ids: [accountId = ''] = [], orderIds, requestIds = [], emailChangeIds = requestIds } = trace
  // A caller chooses ids of orders and requests, so another account may have a run under the same id by now.
  const free = (ids: string[]) => withoutOthers(sql, accountId, ids)
  return [
    ...(await free(orderIds)).flatMap((id) => [orderWorkflowId(id), orderAftercareWorkflowId(id)]),
    ...(await free(requestIds)).map(privacyRequestWorkflowId),
    ...(await free(emailChangeIds)).map(emailChangeWorkflowId),
  ]
}
