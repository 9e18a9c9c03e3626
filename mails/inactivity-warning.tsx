/** R1: an account that is not used for three years is deleted, after three warnings by mail. */
import { Action, Note, Paragraph, Title } from './elements.tsx'
import { day, days } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { greeting } from './order.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface InactivityWarningProps {
  site: Site
  firstName?: string
  daysLeft: number
  deletionDate: Date
  /** signing in keeps the account */
  keepUrl: string
}

export function renderInactivityWarning(props: InactivityWarningProps): RenderedMail {
  const { site, daysLeft, deletionDate } = props
  const subject = `Your AMA eSIM account will be deleted in ${days(daysLeft)}`
  return renderMail(
    subject,
    <Layout
      site={site}
      preview="Sign in once to keep it."
      reason="You get this mail because you have an AMA eSIM account. It is not advertising."
    >
      <Title>{subject}</Title>
      <Paragraph>
        {greeting(props.firstName)}You have not used your account for almost three years. We keep accounts no longer
        than that, so we will delete it on {day(deletionDate)}.
      </Paragraph>
      <Paragraph>To keep it, sign in once before that day, in the app or here:</Paragraph>
      <Action href={props.keepUrl}>Keep my account</Action>
      <Note>
        If you do nothing, your personal data is deleted for good. Invoices stay for as long as the law asks, without
        your name.
      </Note>
    </Layout>,
  )
}
