/** U3: mails about the state of an eSIM. */
import type { ReactNode } from 'react'
import type { Texts } from '../../messages/texts.ts'
import { Action, Facts, Paragraph, Title } from '../elements.tsx'
import { Layout, type Site } from '../layout.tsx'
import { type RenderedMail, renderMail } from '../render.ts'
import type { OrderSummary } from './order.tsx'

export type EsimNotice = 'in_use' | 'low_data' | 'used_up' | 'last_day' | 'expired' | 'ended_early'

export interface EsimStatusProps {
  site: Site
  texts: Texts
  order: OrderSummary
  notice: EsimNotice
  usedBytes: number
  /** null: unlimited */
  totalBytes: number | null
  expiresAt?: Date
  /** the page of the eSIM, where it can be topped up */
  orderUrl: string
}

/** Shows used data and expiry. The networks' counters are some hours late. */
export function renderEsimStatus(props: EsimStatusProps): RenderedMail {
  const { site, texts, notice, expiresAt } = props
  const { t } = texts
  const title = t(`order.esim.${notice}.subject`, { place: texts.place(props.order.destination) })
  const text = t(`order.esim.${notice}.text`)
  const until = t(notice === 'expired' ? 'order.fact.ended' : 'order.fact.validUntil')
  const facts: [string, ReactNode][] = [
    [t('order.fact.package'), props.order.packageName],
    [t('order.fact.used'), usage(props)],
    ...(expiresAt ? [[until, texts.moment(expiresAt)] as [string, ReactNode]] : []),
  ]
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={text} reason={t('order.reason')}>
      <Title>{title}</Title>
      <Paragraph>{text}</Paragraph>
      <Facts of={facts} />
      <Action href={props.orderUrl}>{t(`order.esim.${notice}.action`)}</Action>
    </Layout>,
  )
}

const usage = ({ texts: { t, dataAmount }, usedBytes, totalBytes }: EsimStatusProps): string =>
  totalBytes === null
    ? dataAmount(usedBytes)
    : t('order.usedOf', { used: dataAmount(usedBytes), total: dataAmount(totalBytes) })
