/**
 * The shape of Temporal's own order sample (temporalio/reference-app-orders-go) with one fulfilment and empty
 * activities: an order, the run of its charge, and a shipment that signals each of its states to the order.
 */
import {
  condition,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow'
import { searchAttributes } from '../../shared/search-attributes.ts'
import {
  type CarrierStatus,
  carrierUpdate,
  type FloorActivities,
  shipmentOf,
  shipmentUpdated,
} from './floor.contract.ts'

const { fulfil, charge, step } = proxyActivities<FloorActivities>({ startToCloseTimeout: '30 seconds' })
const { book } = proxyActivities<FloorActivities>({ startToCloseTimeout: '5 seconds' })

const show = (status: string): void => upsertSearchAttributes([{ key: searchAttributes.stage, value: status }])

export async function sampleOrder(): Promise<void> {
  let shipped = 'pending'
  setHandler(shipmentUpdated, (status) => {
    shipped = status
  })
  show('pending')
  await fulfil()
  show('processing')
  await charge()
  const shipment = await startChild(sampleShipment, { workflowId: shipmentOf(workflowInfo().workflowId) })
  await shipment.result()
  show(shipped === 'delivered' ? 'completed' : 'failed')
}

export async function sampleCharge(): Promise<void> {
  await step('invoice')
  await step('charge')
}

export async function sampleShipment(): Promise<void> {
  const { parent } = workflowInfo()
  const updates: CarrierStatus[] = []
  setHandler(carrierUpdate, (status) => void updates.push(status))
  show('pending')
  await book()
  const report = async (status: string): Promise<void> => {
    if (parent) await getExternalWorkflowHandle(parent.workflowId).signal(shipmentUpdated, status)
    show(status)
  }
  await report('booked')
  for (let status = ''; status !== 'delivered'; ) {
    await condition(() => updates.length > 0)
    status = updates.shift() ?? ''
    await report(status)
  }
}
