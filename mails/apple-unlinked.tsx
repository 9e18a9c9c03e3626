/**
 * C6, we keep Apple and Google sign-in identifiers: the mail to a person who removed us from their Apple Account. Their
 * account and eSIMs stay.
 */
import type { Texts } from '../messages/texts.ts'
import { Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export function renderAppleUnlinked({ site, texts }: { site: Site; texts: Texts }): RenderedMail {
  const { t } = texts
  const title = t('mail.apple.subject')
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={t('mail.apple.preview')} reason={t('mail.apple.reason')}>
      <Title>{title}</Title>
      <Paragraph>{t('mail.apple.text')}</Paragraph>
      <Paragraph>{t('mail.apple.ended')}</Paragraph>
      <Paragraph>{t('mail.apple.delete', { url: `${site.publicUrl}/delete-account` })}</Paragraph>
      <Note>{t('mail.apple.note', { url: `${site.publicUrl}/account/data` })}</Note>
    </Layout>,
  )
}
