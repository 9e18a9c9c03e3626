/** G6, requests are answered within 30 days: mails about privacy requests, which are acknowledged at once. */
import type { Texts } from '../messages/texts.ts'
import { Action, Facts, Note, Paragraph, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export interface PrivacyRequestAcknowledgedProps {
  site: Site
  texts: Texts
  /** for the subject of further mails */
  reference: string
  receivedOn: Date
  answerBy: Date
}

export function renderPrivacyRequestAcknowledged(props: PrivacyRequestAcknowledgedProps): RenderedMail {
  const { site, texts } = props
  const { t } = texts
  const title = t('privacy.acknowledged.subject')
  const answerBy = texts.day(props.answerBy)
  const preview = t('privacy.request.weAnswerBy', { day: answerBy })
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={preview} reason={t('privacy.request.reason')}>
      <Title>{title}</Title>
      <Paragraph>{t('privacy.acknowledged.text')}</Paragraph>
      <Facts
        of={[
          [t('privacy.request.received'), texts.day(props.receivedOn)],
          [t('privacy.request.answerBy'), answerBy],
          [t('privacy.request.reference'), props.reference],
        ]}
      />
      <Note>{t('privacy.acknowledged.note', { url: `${site.publicUrl}/account/data` })}</Note>
    </Layout>,
  )
}

export interface PrivacyRequestAnsweredProps {
  site: Site
  texts: Texts
  reference: string
  /** plain text; an empty line starts a paragraph */
  answer: string
}

export function renderPrivacyRequestAnswered(props: PrivacyRequestAnsweredProps): RenderedMail {
  const { site, texts, reference, answer } = props
  const { t } = texts
  const title = t('privacy.answered.subject')
  const paragraphs = answer.split(/\r?\n\s*\r?\n/).filter((text) => text.trim() !== '')
  const preview = t('privacy.answered.preview', { reference })
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={preview} reason={t('privacy.request.reason')}>
      <Title>{title}</Title>
      {paragraphs.map((text) => (
        <Paragraph key={text}>{text}</Paragraph>
      ))}
      <Facts of={[[t('privacy.request.reference'), reference]]} />
      <Note>{t('privacy.answered.note')}</Note>
    </Layout>,
  )
}

export interface PrivacyRequestExtendedProps {
  site: Site
  texts: Texts
  reference: string
  because: 'complexity' | 'number_of_requests'
  answerBy: Date
}

/** Art. 12(3) GDPR: the person must get the reason for an extension within the first month. */
export function renderPrivacyRequestExtended(props: PrivacyRequestExtendedProps): RenderedMail {
  const { site, texts, because } = props
  const { t } = texts
  const title = t('privacy.extended.subject')
  const answerBy = texts.day(props.answerBy)
  const preview = t('privacy.request.weAnswerBy', { day: answerBy })
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={preview} reason={t('privacy.request.reason')}>
      <Title>{title}</Title>
      <Paragraph>{t(`privacy.extended.${because}`)}</Paragraph>
      <Facts
        of={[
          [t('privacy.request.answerBy'), answerBy],
          [t('privacy.request.reference'), props.reference],
        ]}
      />
      <Note>{t('privacy.extended.note')}</Note>
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

/** To our own support, in English and without personal data. */
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
