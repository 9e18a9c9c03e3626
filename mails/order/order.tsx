/** The common part of mails about an order. */
import type { ReactNode } from 'react'
import type { Texts } from '../../messages/texts.ts'
import type { ValidityStart } from '../../providers/esim.ts'

/** What was ordered, without the package's name, which is English. */
export interface OrderSummary {
  id: string
  /** ISO 3166 code, or the name of a region */
  destination: string
  /** null: unlimited */
  dataBytes: number | null
  /** `dataBytes` applies to each day */
  daily: boolean
  days: number
  quantity: number
  /** of the delivered eSIM; without it nothing is said about the start */
  validityStarts?: ValidityStart | null
}

export function orderFacts({ t, ...texts }: Texts, order: OrderSummary): [string, ReactNode][] {
  const amount = texts.dataAmount(order.dataBytes)
  const esims: [string, ReactNode] = [t('purchase.esims'), order.quantity]
  return [
    [t('order.fact.destination'), texts.place(order.destination)],
    [t('order.fact.data'), order.daily ? t('order.aDay', { amount }) : amount],
    [t('order.fact.validFor'), texts.validity(order.days, order.validityStarts)],
    ...(order.quantity === 1 ? [] : [esims]),
  ]
}

/** The performance consent that the customer gave when ordering. */
export const consentFacts = (
  { t, moment }: Texts,
  consent: { text: string; at: Date } | undefined,
): [string, ReactNode][] =>
  consent ? [[t('order.fact.agreed'), t('order.quoted', { text: consent.text, at: moment(consent.at) })]] : []

/** A text with a greeting before it. */
export const greet = ({ t }: Texts, firstName: string | undefined, text: string): string =>
  firstName ? t('order.helloName', { firstName, text }) : t('order.hello', { text })
