/**
 * G3, R1, K1, an account is deleted on request, when unused, or as a child's: the mail about it. The address is erased
 * once the mail is sent.
 */
import type { Texts } from '../messages/texts.ts'
import { Action, Facts, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export type DeletionCause = 'requested' | 'inactivity' | 'sign_in_account_deleted' | 'child'

export interface AccountDeletedProps {
  site: Site
  texts: Texts
  cause: DeletionCause
  deletedOn: Date
  receiptId: string
  receiptUrl: string
  /** the day by which the last backup with the person's data is deleted */
  backupsGoneBy: Date
  /** we have no token to revoke Sign in with Apple: the person has to do it */
  removeAppleByHand?: boolean
}

export function renderAccountDeleted(props: AccountDeletedProps): RenderedMail {
  const { site, texts, cause } = props
  const { t, day } = texts
  const title = t('mail.deleted.subject')
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={t('mail.deleted.preview')} reason={t('mail.deleted.reason')}>
      <Title>{title}</Title>
      <Paragraph>{t(`mail.deleted.cause.${cause}`)}</Paragraph>
      <Paragraph>{t('mail.deleted.stays', { day: day(props.backupsGoneBy) })}</Paragraph>
      {props.removeAppleByHand ? <Paragraph>{t('mail.deleted.apple')}</Paragraph> : null}
      <Facts
        of={[
          [t('mail.deleted.on'), day(props.deletedOn)],
          [t('mail.deleted.receipt'), props.receiptId],
        ]}
      />
      <Action href={props.receiptUrl}>{t('mail.deleted.action')}</Action>
      <Note>{t('mail.deleted.note')}</Note>
    </Layout>,
  )
}
