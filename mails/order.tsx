/** The common part of mails about an order. */
import type { ReactNode } from 'react'
import type { ValidityStart } from '../providers/esim.ts'
import { dataAmount, days, moment, placeName, validityStart } from './format.ts'

export interface OrderSummary {
  packageName: string
  /** ISO 3166 code, or the name of a region */
  destination: string
  /** null: unlimited */
  dataBytes: number | null
  /** `dataBytes` applies to each day */
  daily?: boolean
  days: number
  quantity: number
  /** of the delivered eSIM; without it nothing is said about the start */
  validityStarts?: ValidityStart | null
}

export function orderFacts(order: OrderSummary): [string, ReactNode][] {
  return [
    ['Package', order.quantity === 1 ? order.packageName : `${order.quantity} × ${order.packageName}`],
    ['Destination', placeName(order.destination)],
    ['Data', dataAmount(order.dataBytes) + (order.daily ? ' a day' : '')],
    [
      'Valid for',
      order.validityStarts === undefined
        ? days(order.days)
        : `${days(order.days)} ${validityStart(order.validityStarts)}`,
    ],
  ]
}

/** What the customer agreed to when ordering. */
export const consentFacts = (consent: { text: string; at: Date } | undefined): [string, ReactNode][] =>
  consent ? [['You agreed', `“${consent.text}” (${moment(consent.at)})`]] : []

/** A greeting with the space after it. */
export const greeting = (firstName: string | undefined): string => (firstName ? `Hello ${firstName}. ` : 'Hello. ')

export const orderReason = 'You get this mail because of an order you placed with AMA eSIM.'
