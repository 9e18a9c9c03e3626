/** G2: mails about a change of address, which both the old and the new address have to confirm. */
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface EmailChangeProps {
  site: Site
  /** works once */
  url: string
  validHours: number
}

const reason = 'Somebody who was signed in to your AMA eSIM account asked to change its address.'

/** To the account's current address. */
export function renderEmailChangeOld({ site, url, validHours }: EmailChangeProps): RenderedMail {
  const title = 'Do you want to change your address?'
  return renderMail(
    title,
    <Layout site={site} preview="Agree only if you asked for it." reason={reason}>
      <Title>{title}</Title>
      <Paragraph>
        We were asked to change the e-mail address of your account. Agree here and in the mail we have sent to the new
        one, both within {validHours} hours.
      </Paragraph>
      <Action href={url}>Agree to the change</Action>
      <Note>
        If you did not ask for this, do not agree, sign out of all your devices and write to {site.supportMail}: nothing
        changes without you.
      </Note>
    </Layout>,
  )
}

/** To the new address, whose owner is not known yet. */
export function renderEmailChangeNew({ site, url, validHours }: EmailChangeProps): RenderedMail {
  const title = 'Confirm your new address'
  return renderMail(
    title,
    <Layout site={site} preview="One tap shows us that it is yours." reason={reason}>
      <Title>{title}</Title>
      <Paragraph>
        This address was given for an AMA eSIM account. Confirm within {validHours} hours that it is yours.
      </Paragraph>
      <Action href={url}>Confirm this address</Action>
      <Note>If you do not know what this is about, do nothing: we will not write to this address again.</Note>
    </Layout>,
  )
}

/** To the old address, after the change. */
export function renderEmailChanged({ site }: { site: Site }): RenderedMail {
  const title = 'Your address was changed'
  return renderMail(
    title,
    <Layout site={site} preview="We write to your new address from now on." reason={reason}>
      <Title>{title}</Title>
      <Paragraph>We write to your new address from now on, and no longer to this one.</Paragraph>
      <Note>If that was not you, write to {site.supportMail} at once.</Note>
    </Layout>,
  )
}
