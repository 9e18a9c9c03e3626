import type { Texts } from '../messages/texts.ts'
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface SignInLinkProps {
  site: Site
  texts: Texts
  /** works once */
  url: string
  validMinutes: number
}

/** The mail with a link that signs a person in on the web pages. */
export function renderSignInLink({ site, texts, url, validMinutes: minutes }: SignInLinkProps): RenderedMail {
  const { t } = texts
  return renderMail(
    t('mail.signIn.subject'),
    <Layout site={site} texts={texts} preview={t('mail.signIn.preview', { minutes })} reason={t('mail.signIn.reason')}>
      <Title>{t('mail.signIn.title')}</Title>
      <Paragraph>{t('mail.signIn.text', { minutes })}</Paragraph>
      <Action href={url}>{t('mail.signIn.action')}</Action>
      <Note>{t('mail.signIn.note')}</Note>
    </Layout>,
  )
}
