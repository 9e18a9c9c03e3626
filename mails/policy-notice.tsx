/** N2: the notice of a new policy. It is the same for all recipients: rendered once for each version. */
import { Action, Note, Paragraph, Subtitle, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'
import { colours } from './style.ts'

export interface PolicyNoticeProps {
  site: Site
  version: string
  effectiveOn: Date
  /** the changes, one sentence each */
  changes: string[]
  /** the coming version */
  url: string
}

export function renderPolicyNotice({ site, version, effectiveOn, changes, url }: PolicyNoticeProps): RenderedMail {
  const subject = `Our privacy policy changes on ${day(effectiveOn)}`
  return renderMail(
    subject,
    <Layout
      site={site}
      preview="What changes, and what you can do."
      reason="You get this mail because you have an AMA eSIM account: we promised to tell you. It is not advertising."
    >
      <Title>{subject}</Title>
      <Paragraph>Until then the current policy applies. This is what changes with version {version}:</Paragraph>
      <ul className="ink" style={list}>
        {changes.map((change) => (
          <li key={change} style={{ margin: '0 0 6px' }}>
            {change}
          </li>
        ))}
      </ul>
      <Action href={url}>Read the new policy</Action>
      <Subtitle>If you do not agree</Subtitle>
      <Paragraph>You can delete your account at any time, in the app or at {site.publicUrl}/delete-account.</Paragraph>
      <Note>The policy in force and all earlier versions are at {site.publicUrl}/privacy.</Note>
    </Layout>,
  )
}

const list = { color: colours.ink, fontSize: '15px', lineHeight: '24px', margin: '0 0 18px', paddingLeft: '22px' }
