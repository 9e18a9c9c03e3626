import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface SignInLinkProps {
  site: Site
  /** works once */
  url: string
  validMinutes: number
}

/** The mail with a link that signs a person in on the web pages. */
export function renderSignInLink({ site, url, validMinutes }: SignInLinkProps): RenderedMail {
  return renderMail(
    'Your sign-in link',
    <Layout
      site={site}
      preview={`It works once, for ${validMinutes} minutes.`}
      reason="Somebody asked to sign in with this address."
    >
      <Title>Sign in to AMA eSIM</Title>
      <Paragraph>The link works once, for {validMinutes} minutes.</Paragraph>
      <Action href={url}>Sign in</Action>
      <Note>If that was not you, do nothing: without this mail nobody can sign in. We never ask you for the link.</Note>
    </Layout>,
  )
}
