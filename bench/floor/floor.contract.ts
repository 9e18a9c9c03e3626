import { defineSignal, defineUpdate } from '@temporalio/workflow'

export const floorQueue = 'floor'
export const checkout = defineUpdate<string>('checkout')
export const paid = defineSignal('paid')

/** Ids of the runs that an order of the sample needs. */
export const chargeOf = (orderId: string): string => `${orderId}-charge`
export const shipmentOf = (orderId: string): string => `${orderId}-shipment`

export type CarrierStatus = 'dispatched' | 'delivered'
/** The carrier signals the shipment of the sample. */
export const carrierUpdate = defineSignal<[CarrierStatus]>('carrier-update')
/** The shipment of the sample signals its order. */
export const shipmentUpdated = defineSignal<[string]>('shipment-updated')

export interface FloorActivities {
  local(name: string): Promise<void>
  provision(): Promise<void>
  /** fails until its time is over, as the watch of an eSIM does */
  watch(): Promise<void>
  fulfil(): Promise<void>
  /** runs `sampleCharge` and waits for it, as the sample does by a call of its billing service */
  charge(): Promise<void>
  step(name: string): Promise<void>
  book(): Promise<void>
}
