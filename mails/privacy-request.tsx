/** G6: requests about privacy, acknowledged at once and answered within 30 days. */
import { Facts, Note, Paragraph, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

const reason = 'You get this mail because you asked us about your privacy.'

export interface PrivacyRequestAcknowledgedProps {
  site: Site
  /** to name in further mail */
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
      <Note>If you are not content with the answer, reply to it, or complain to a data protection authority.</Note>
    </Layout>,
  )
}
