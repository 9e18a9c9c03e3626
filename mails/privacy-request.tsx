/** G6: mails about privacy requests, which are acknowledged at once and answered within 30 days. */
import { Action, Facts, Note, Paragraph, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

const reason = 'You get this mail because you asked us about your privacy.'

export interface PrivacyRequestAcknowledgedProps {
  site: Site
  /** for the subject of further mails */
  reference: string
  receivedOn: Date
  answerBy: Date
}

export function renderPrivacyRequestAcknowledged(props: PrivacyRequestAcknowledgedProps): RenderedMail {
  const title = 'We have your privacy request'
  return renderMail(
    title,
    <Layout site={props.site} preview={`We answer by ${day(props.answerBy)}.`} reason={reason}>
      <Title>{title}</Title>
      <Paragraph>Thank you for writing. A person reads it and answers you within 30 days.</Paragraph>
      <Facts
        of={[
          ['Received', day(props.receivedOn)],
          ['Answer by', day(props.answerBy)],
          ['Reference', props.reference],
        ]}
      />
      <Note>You can see, correct, export and delete your data yourself at any time in your account settings.</Note>
    </Layout>,
  )
}

export interface PrivacyRequestAnsweredProps {
  site: Site
  reference: string
  /** plain text; an empty line starts a paragraph */
  answer: string
}

export function renderPrivacyRequestAnswered({ site, reference, answer }: PrivacyRequestAnsweredProps): RenderedMail {
  const title = 'Our answer to your privacy request'
  const paragraphs = answer.split(/\r?\n\s*\r?\n/).filter((text) => text.trim() !== '')
  return renderMail(
    title,
    <Layout site={site} preview={`Reference ${reference}`} reason={reason}>
      <Title>{title}</Title>
      {paragraphs.map((text) => (
        <Paragraph key={text}>{text}</Paragraph>
      ))}
      <Facts of={[['Reference', reference]]} />
      <Note>If you do not accept the answer, reply to it, or complain to a data protection authority.</Note>
    </Layout>,
  )
}

export interface PrivacyRequestExtendedProps {
  site: Site
  reference: string
  because: 'complexity' | 'number_of_requests'
  answerBy: Date
}

const extensionReasons: Record<PrivacyRequestExtendedProps['because'], string> = {
  complexity: 'Your request takes more work than most.',
  number_of_requests: 'We have several requests of yours to answer.',
}

/** Art. 12(3) GDPR: the person must get the reason for an extension within the first month. */
export function renderPrivacyRequestExtended(props: PrivacyRequestExtendedProps): RenderedMail {
  const title = 'Your privacy request takes longer'
  return renderMail(
    title,
    <Layout site={props.site} preview={`We answer by ${day(props.answerBy)}.`} reason={reason}>
      <Title>{title}</Title>
      <Paragraph>
        {extensionReasons[props.because]} The law gives us more time for that, and we use no more of it than we need.
      </Paragraph>
      <Facts
        of={[
          ['Answer by', day(props.answerBy)],
          ['Reference', props.reference],
        ]}
      />
      <Note>If you do not agree, reply to this mail, or complain to a data protection authority.</Note>
    </Layout>,
  )
}

export interface PrivacyRequestDueProps {
  site: Site
  reference: string
  kind: string
  urgency: 'reminder' | 'escalation' | 'late'
  answerBy: Date
  consoleUrl: string
}

/** To our own support, without personal data. */
export function renderPrivacyRequestDue(props: PrivacyRequestDueProps): RenderedMail {
  const { site, reference, kind, urgency, answerBy, consoleUrl } = props
  const subject = {
    reminder: `Privacy request ${reference} is waiting: answer by ${day(answerBy)}`,
    escalation: `Privacy request ${reference} is about to be late: answer by ${day(answerBy)}`,
    late: `Privacy request ${reference} is LATE: it was due by ${day(answerBy)}`,
  }[urgency]
  return renderMail(
    subject,
    <Layout site={site} preview={subject} reason="You get this mail because you answer privacy requests.">
      <Title>{subject}</Title>
      <Paragraph>
        {urgency === 'late'
          ? 'We promise an answer within 30 days, and have broken that promise. Answer now.'
          : 'We promise an answer within 30 days.'}
      </Paragraph>
      <Facts
        of={[
          ['About', kind],
          ['Answer by', day(answerBy)],
          ['Reference', reference],
        ]}
      />
      <Action href={consoleUrl}>Open the console</Action>
    </Layout>,
  )
}
