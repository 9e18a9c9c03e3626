/** What the provider records of orders, and how an order is priced. */
import { z } from 'zod'
import type { CataloguePackage } from './catalogue.ts'
import type { Profile } from './profile.ts'
import type { KeptWarehouse } from './warehouse.ts'
import { Refusal } from './wire.ts'

/** How long an order answers 200010: a number of polls or of seconds, whichever ends first; {} means not at all. */
export const allocationForm = z.strictObject({
  polls: z.number().exactOptional(),
  seconds: z.number().exactOptional(),
  never: z.boolean().exactOptional(),
})
export type Allocation = z.infer<typeof allocationForm>

export interface OrderLine {
  code: string
  count: number
  price: number | undefined
  periodNum: number | undefined
}

const plantedOrderForm = z.strictObject({
  packageCode: z.string(),
  transactionId: z.string(),
  /** Unix milliseconds */
  createdAt: z.number(),
  cancelled: z.boolean().exactOptional(),
})
export type PlantedOrder = z.infer<typeof plantedOrderForm>
export const plantedOrdersForm = z.array(plantedOrderForm)

export interface Line {
  package: CataloguePackage
  count: number
  days: number
}

export interface Order {
  orderNo: string
  transactionId: string
  amount: number
  placedAt: number
  lines: Line[]
  pollsLeft: number
  readyAt: number
  profiles: Profile[] | null
}

export interface KeptState {
  offsetMs: number
  sequence: number
  allocation: Allocation
  orders: Map<string, Order>
  byTransaction: Map<string, Order>
  pending: Set<Order>
  profiles: Map<string, Profile>
  byIccid: Map<string, Profile>
  freeIccids: string[]
  topUps: Map<string, ToppedUp>
  cancels: Cancelled[]
  warehouse: KeptWarehouse
}

export interface ToppedUp {
  esimTranNo: string
  packageCode: string
  price: number
  reply: unknown
}

export interface Cancelled {
  esimTranNo: string
  returned: number
  at: string
}

/** The price of a daily package is for each day. */
export const priceOf = (sold: CataloguePackage, days: number): number =>
  sold.dataType === 1 ? sold.price : sold.price * days

/** @throws Refusal for a number of days that the package is not sold for */
export function daysOf(sold: CataloguePackage, periodNum: number | undefined): number {
  if (periodNum === undefined) return sold.duration
  const allowed = sold.dataType !== 1 && Number.isInteger(periodNum) && periodNum >= 1 && periodNum <= 365
  if (!allowed) throw new Refusal('200008')
  return periodNum
}
