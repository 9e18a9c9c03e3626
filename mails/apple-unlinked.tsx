/** C6: the mail to a person who removed us from their Apple Account. Their account and eSIMs stay. */
import { Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export function renderAppleUnlinked({ site }: { site: Site }): RenderedMail {
  const title = 'Sign in with Apple is off'
  return renderMail(
    title,
    <Layout
      site={site}
      preview="Your account and your eSIMs are still there."
      reason="You get this mail because AMA eSIM was removed from your Apple Account."
    >
      <Title>{title}</Title>
      <Paragraph>
        You have removed AMA eSIM from your Apple Account, so we have forgotten the connection. Your account and your
        eSIMs are still there: sign in with your e-mail address, or with Apple again to connect anew.
      </Paragraph>
      <Paragraph>If you wanted your account deleted, you can do that in the app, in your account settings.</Paragraph>
      <Note>If you used an Apple relay address, mail to it may stop. Set another address in the app.</Note>
    </Layout>,
  )
}
