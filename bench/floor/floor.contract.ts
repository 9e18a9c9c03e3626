import { defineSignal, defineUpdate } from '@temporalio/workflow'

export const floorQueue = 'floor'
export const checkout = defineUpdate<string>('checkout')
export const paid = defineSignal('paid')

export interface FloorActivities {
  local(name: string): Promise<void>
  provision(): Promise<void>
  /** fails until its time is over, as the watch of an eSIM does */
  watch(): Promise<void>
}
