/** U3: mails about the state of an eSIM. */
import type { ReactNode } from 'react'
import { Action, Facts, Paragraph, Title } from './elements.tsx'
import { dataAmount, moment, placeName } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type OrderSummary, orderReason } from './order.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export type EsimNotice = 'in_use' | 'low_data' | 'used_up' | 'last_day' | 'expired' | 'ended_early'

export interface EsimStatusProps {
  site: Site
  order: OrderSummary
  notice: EsimNotice
  usedBytes: number
  /** null: unlimited */
  totalBytes: number | null
  expiresAt?: Date
  /** the page of the eSIM, where it can be topped up */
  orderUrl: string
}

const words: Record<EsimNotice, { subject: (place: string) => string; text: string; action: string }> = {
  in_use: {
    subject: (place) => `Your eSIM for ${place} is connected`,
    text: 'Your eSIM has gone online. Have a good trip.',
    action: 'Follow your usage',
  },
  low_data: {
    subject: (place) => `80 % of your data for ${place} is used`,
    text: 'Four fifths of your data are used. You can add more while the eSIM is valid, without installing anything.',
    action: 'Add data',
  },
  used_up: {
    subject: (place) => `Your data for ${place} is used up`,
    text: 'All your data is used. You can add more while the eSIM is valid, without installing anything.',
    action: 'Add data',
  },
  last_day: {
    subject: (place) => `Your eSIM for ${place} is valid for one more day`,
    text: 'Your eSIM ends within a day. What is left of its data ends with it.',
    action: 'See your eSIM',
  },
  expired: {
    subject: (place) => `Your eSIM for ${place} has expired`,
    text: 'Your eSIM has ended. You can delete it from your phone.',
    action: 'See your eSIM',
  },
  ended_early: {
    subject: (place) => `Your eSIM for ${place} was switched off`,
    text: 'The network has ended your eSIM before its time. We are looking into it. If it was unused, we give your money back; otherwise write to us if you still needed it.',
    action: 'See your eSIM',
  },
}

/** Shows used data and expiry. The networks' counters are some hours late. */
export function renderEsimStatus(props: EsimStatusProps): RenderedMail {
  const { site, notice, expiresAt } = props
  const { subject, text, action } = words[notice]
  const title = subject(placeName(props.order.destination))
  const facts: [string, ReactNode][] = [
    ['Package', props.order.packageName],
    ['Used', usage(props)],
    ...(expiresAt ? [[notice === 'expired' ? 'Ended' : 'Valid until', moment(expiresAt)] as [string, ReactNode]] : []),
  ]
  return renderMail(
    title,
    <Layout site={site} preview={text} reason={orderReason}>
      <Title>{title}</Title>
      <Paragraph>{text}</Paragraph>
      <Facts of={facts} />
      <Action href={props.orderUrl}>{action}</Action>
    </Layout>,
  )
}

const usage = ({ usedBytes, totalBytes }: EsimStatusProps): string =>
  totalBytes === null ? dataAmount(usedBytes) : `${dataAmount(usedBytes)} of ${dataAmount(totalBytes)}`
