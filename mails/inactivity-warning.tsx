/** R1: an account that is not used for three years is deleted, after three warnings by mail. */
import type { Texts } from '../messages/texts.ts'
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { greet } from './order/order.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface InactivityWarningProps {
  site: Site
  texts: Texts
  firstName?: string
  daysLeft: number
  deletionDate: Date
  /** signing in keeps the account */
  keepUrl: string
}

export function renderInactivityWarning(props: InactivityWarningProps): RenderedMail {
  const { site, texts, daysLeft, deletionDate } = props
  const { t } = texts
  const subject = t('mail.inactive.subject', { days: daysLeft })
  return renderMail(
    subject,
    <Layout site={site} texts={texts} preview={t('mail.inactive.preview')} reason={t('mail.inactive.reason')}>
      <Title>{subject}</Title>
      <Paragraph>{greet(texts, props.firstName, t('mail.inactive.text', { day: texts.day(deletionDate) }))}</Paragraph>
      <Paragraph>{t('mail.inactive.keep')}</Paragraph>
      <Action href={props.keepUrl}>{t('mail.inactive.action')}</Action>
      <Note>{t('mail.inactive.note')}</Note>
    </Layout>,
  )
}
