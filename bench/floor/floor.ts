/**
 * The baseline ("floor") of an order: a workflow with the same start, update, signal, timer, activities, local
 * activities and search attributes, whose activities do nothing. The difference to an order is the cost of our own
 * code.
 */
import { condition, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow'
import { showStatus } from '../../workflows/run/run-status.ts'
import { checkout, type FloorActivities, paid } from './floor.contract.ts'

const { local } = proxyLocalActivities<FloorActivities>({ startToCloseTimeout: '10 seconds' })
const { provision, watch } = proxyActivities<FloorActivities>({ startToCloseTimeout: '25 seconds' })

export async function floor(): Promise<void> {
  let opened = false
  let isPaid = false
  setHandler(checkout, async () => {
    await condition(() => opened)
    return 'opened'
  })
  setHandler(paid, () => {
    isPaid = true
  })
  await local('open')
  opened = true
  await condition(() => isPaid, '30 seconds')
  await local('confirm')
  showStatus({ status: 'provisioning', waitingFor: 'nothing', dueAt: new Date() })
  await provision()
  await local('deliver')
  showStatus({ status: 'delivered', waitingFor: 'nothing', dueAt: new Date() })
  const notices = Promise.all([local('mail'), local('push'), local('measure')])
  await watch()
  await notices
}
