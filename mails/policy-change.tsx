/**
 * N2, a material change is mailed at least 30 days before: mails to people who got the notice of a version whose day
 * has moved, or which was withdrawn.
 */
import type { Texts } from '../messages/texts.ts'
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface PolicyMovedProps {
  site: Site
  texts: Texts
  version: string
  effectiveOn: Date
  /** the coming version */
  url: string
}

export function renderPolicyMoved({ site, texts, version, effectiveOn, url }: PolicyMovedProps): RenderedMail {
  const { t } = texts
  const day = texts.day(effectiveOn)
  const subject = t('privacy.moved.subject', { day })
  return renderMail(
    subject,
    <Layout site={site} texts={texts} preview={t('privacy.moved.preview')} reason={t('privacy.policy.reason')}>
      <Title>{subject}</Title>
      <Paragraph>{t('privacy.moved.text', { version, day })}</Paragraph>
      <Action href={url}>{t('privacy.policy.readNew')}</Action>
      <Note>{t('privacy.policy.versions', { url: `${site.publicUrl}/privacy` })}</Note>
    </Layout>,
  )
}

export interface PolicyWithdrawnProps {
  site: Site
  texts: Texts
  version: string
}

export function renderPolicyWithdrawn({ site, texts, version }: PolicyWithdrawnProps): RenderedMail {
  const { t } = texts
  const subject = t('privacy.withdrawn.subject')
  return renderMail(
    subject,
    <Layout site={site} texts={texts} preview={t('privacy.withdrawn.preview')} reason={t('privacy.policy.reason')}>
      <Title>{subject}</Title>
      <Paragraph>{t('privacy.withdrawn.text', { version })}</Paragraph>
      <Action href={`${site.publicUrl}/privacy`}>{t('privacy.withdrawn.action')}</Action>
    </Layout>,
  )
}
