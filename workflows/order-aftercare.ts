/** Trap of late events: disputes and bounced refunds of orders whose own run has closed. */
import { allHandlersFinished, condition, setHandler } from '@temporalio/workflow'
import { disputeNews, paymentNews } from './order.contract.ts'
import { clock, noteDispute, quick } from './order-run.ts'
import { stand } from './standing.ts'

export async function orderAftercare({ orderId }: { orderId: string }): Promise<void> {
  let paymentsToCheck = 0
  setHandler(disputeNews, ({ disputeId }) => noteDispute(orderId, disputeId))
  setHandler(paymentNews, () => {
    paymentsToCheck += 1
  })
  stand({ status: 'aftercare', waitingFor: 'the payment processor', dueAt: null })
  // News arrive with the start; whatever comes later starts a run of its own.
  do {
    await condition(() => paymentsToCheck > 0, 1)
    if (paymentsToCheck > 0) {
      paymentsToCheck = 0
      const refunds = await quick.checkRefunds({ orderId, ...clock() })
      if (refunds === 'failed') await quick.recordRefundFailure({ orderId, ...clock(), code: 'refund_bounced' })
    }
    await condition(allHandlersFinished)
  } while (paymentsToCheck > 0)
}
