/** N2: mails to people who got the notice of a version: its day has moved, or it was withdrawn. */
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface PolicyMovedProps {
  site: Site
  version: string
  effectiveOn: Date
  /** the coming version */
  url: string
}

export function renderPolicyMoved({ site, version, effectiveOn, url }: PolicyMovedProps): RenderedMail {
  const subject = `Our privacy policy changes later: on ${day(effectiveOn)}`
  return renderMail(
    subject,
    <Layout site={site} preview="The day has moved; what changes has not." reason={reason}>
      <Title>{subject}</Title>
      <Paragraph>
        We wrote to you that version {version} was coming. We promised to tell everybody 30 days before, and we did not
        reach everybody in time, so it takes effect later: on {day(effectiveOn)}. Until then the current policy applies.
      </Paragraph>
      <Action href={url}>Read the new policy</Action>
      <Note>The policy in force and all earlier versions are at {site.publicUrl}/privacy.</Note>
    </Layout>,
  )
}

export interface PolicyWithdrawnProps {
  site: Site
  version: string
}

export function renderPolicyWithdrawn({ site, version }: PolicyWithdrawnProps): RenderedMail {
  const subject = 'Our privacy policy stays as it is'
  return renderMail(
    subject,
    <Layout site={site} preview="The change we announced will not come." reason={reason}>
      <Title>{subject}</Title>
      <Paragraph>
        We wrote to you, or showed you when you signed up, that version {version} was coming. We have withdrawn it: it
        never takes effect, and the current policy stays in force.
      </Paragraph>
      <Action href={`${site.publicUrl}/privacy`}>Read the policy</Action>
    </Layout>,
  )
}

const reason = 'You get this mail because you have an AMA eSIM account: we promised to tell you. It is not advertising.'
