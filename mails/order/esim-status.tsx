/** U3, package updates are sent once: mails about the state of an eSIM. */
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
  /** there are top-ups that the eSIM takes: otherwise nothing promises more data */
  takesTopUps: boolean
  /** the page of the eSIM: its state and codes */
  esimUrl: string
  /** where its person tops it up */
  topUpUrl: string
}

/** After these a person may want more data. */
const forMore = ['low_data', 'used_up'] as const
const isForMore = (notice: EsimNotice): notice is (typeof forMore)[number] => forMore.some((each) => each === notice)

/** Shows used data and expiry. The networks' counters are some hours late. */
export function renderEsimStatus(props: EsimStatusProps): RenderedMail {
  const { site, texts, notice, expiresAt, takesTopUps, esimUrl, topUpUrl } = props
  const { t } = texts
  const title = t(`order.esim.${notice}.subject`, { place: texts.place(props.order.destination) })
  const [text, action, href] =
    !isForMore(notice) || takesTopUps
      ? [t(`order.esim.${notice}.text`), t(`order.esim.${notice}.action`), isForMore(notice) ? topUpUrl : esimUrl]
      : [t(`order.esim.${notice}.noMore`), t('order.seeEsim'), esimUrl]
  const until = t(notice === 'expired' ? 'order.fact.ended' : 'order.fact.validUntil')
  const facts: [string, ReactNode][] = [
    [t('order.fact.destination'), texts.place(props.order.destination)],
    [t('order.fact.used'), usage(props)],
    ...(expiresAt ? [[until, texts.moment(expiresAt)] satisfies [string, ReactNode]] : []),
  ]
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={text} reason={t('order.reason')}>
      <Title>{title}</Title>
      <Paragraph>{text}</Paragraph>
      <Facts of={facts} />
      <Action href={href}>{action}</Action>
    </Layout>,
  )
}

const usage = ({ texts: { t, dataAmount }, usedBytes, totalBytes }: EsimStatusProps): string =>
  totalBytes === null
    ? dataAmount(usedBytes)
    : t('order.usedOf', { used: dataAmount(usedBytes), total: dataAmount(totalBytes) })
