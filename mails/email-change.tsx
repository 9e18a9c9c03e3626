/**
 * G2, everybody can correct their data: mails about a change of address, which both the old and the new address have to
 * confirm.
 */
import type { Texts } from '../messages/texts.ts'
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface EmailChangeProps {
  site: Site
  texts: Texts
  /** works once */
  url: string
  validHours: number
}

/** To the account's current address. */
export const renderEmailChangeOld = (props: EmailChangeProps): RenderedMail => ask('old', props)

/** To the new address, whose owner is not known yet. */
export const renderEmailChangeNew = (props: EmailChangeProps): RenderedMail => ask('new', props)

function ask(side: 'old' | 'new', { site, texts, url, validHours: hours }: EmailChangeProps): RenderedMail {
  const { t } = texts
  const title = t(`mail.emailChange.${side}.subject`)
  const where = { address: site.supportMail, url: `${site.publicUrl}/account/data` }
  const note = side === 'old' ? t('mail.emailChange.old.note', where) : t('mail.emailChange.new.note')
  return renderMail(
    title,
    <Layout
      site={site}
      texts={texts}
      preview={t(`mail.emailChange.${side}.preview`)}
      reason={t('mail.emailChange.reason')}
    >
      <Title>{title}</Title>
      <Paragraph>{t(`mail.emailChange.${side}.text`, { hours })}</Paragraph>
      <Action href={url}>{t(`mail.emailChange.${side}.action`)}</Action>
      <Note>{note}</Note>
    </Layout>,
  )
}

/** To the old address, after the change. */
export function renderEmailChanged({ site, texts }: { site: Site; texts: Texts }): RenderedMail {
  const { t } = texts
  const title = t('mail.emailChange.done.subject')
  return renderMail(
    title,
    <Layout
      site={site}
      texts={texts}
      preview={t('mail.emailChange.done.preview')}
      reason={t('mail.emailChange.reason')}
    >
      <Title>{title}</Title>
      <Paragraph>{t('mail.emailChange.done.text')}</Paragraph>
      <Note>{t('mail.emailChange.done.note', { address: site.supportMail })}</Note>
    </Layout>,
  )
}
