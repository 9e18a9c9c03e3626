/** Scenarios of bulk actions. */
import { bulkActionType, bulkActionWorkflowId } from '../../../workflows/order/bulk-action.contract.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Product } from '../../harness/product.ts'
import { runSteps, type Scenario } from '../scenario.ts'

export const bulkActions: Record<string, Scenario> = {
  'bulk-action-done': async (product) => runSteps(product).untilClosed((await started(product)).workflowId),
  'bulk-action-paused-and-resumed': async (product) => {
    await runSteps(product).mailDown()
    const { workflowId, act } = await started(product)
    await act('pause')
    await product.sims.mailbox.do('clear-rules')
    await act('resume')
    return runSteps(product).untilClosed(workflowId)
  },
  'bulk-action-cancelled': async (product) => {
    await runSteps(product).mailDown()
    const { workflowId, act } = await started(product)
    await act('cancel')
    return runSteps(product).untilClosed(workflowId)
  },
  'bulk-action-refused': async (product) => {
    const { id, act, workflowId } = await prepared(product)
    await act('cancel')
    const { start, untilClosed } = runSteps(product)
    return untilClosed(await start(bulkActionType, [{ bulkActionId: id, startedBy: 'operator:other' }], workflowId))
  },
  'bulk-action-carried-on': async (product) => {
    const { start, untilClosed, mailDown } = runSteps(product)
    await mailDown()
    const { id, workflowId, act, startedBy } = await started(product)
    await act('pause')
    await product.temporal.workflow.getHandle(workflowId).terminate('the scenario needs its place')
    await product.context.sql`update bulk_actions set state = 'running' where id = ${id}`
    await product.sims.mailbox.do('clear-rules')
    const progress = { isPaused: false, waits: 1 }
    return untilClosed(await start(bulkActionType, [{ bulkActionId: id, startedBy, progress }], workflowId))
  },
  'bulk-action-waits-for-an-operator': async (product) => {
    await runSteps(product).mailDown()
    const { workflowId, act } = await started(product)
    await act('pause')
    return workflowId
  },
  'bulk-action-given-up': async (product) => {
    const { mailDown, untilClosed, forward } = runSteps(product)
    await mailDown()
    const { workflowId } = await started(product)
    return untilClosed(await forward(workflowId, '2 hours'))
  },
}

/** An apology for an order that was delivered. */
async function prepared(product: Product) {
  const { operator } = product
  const paidFrom = new Date().toISOString()
  await product.buy(await product.signUp())
  const body = { act: 'apologise', selection: { paidFrom }, limit: 1, reason: 'an outage' }
  const { id, preparedBy } = expectStatus(await operator.post('/v1/bulk-actions', body), 201)
  return {
    id: String(id),
    startedBy: String(preparedBy),
    workflowId: bulkActionWorkflowId(String(id)),
    act: async (what: 'start' | 'pause' | 'resume' | 'cancel'): Promise<void> => {
      expectStatus(await operator.post(`/v1/bulk-actions/${id}/${what}`), 200)
    },
  }
}

async function started(product: Product) {
  const action = await prepared(product)
  await action.act('start')
  return action
}
