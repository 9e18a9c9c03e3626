/** GDPR articles 33 and 34: mails about a personal data breach, to operators and to the people whose data was read. */
import type { Texts } from '../../messages/texts.ts'
import type { FieldGroup } from '../../policy/field-groups.ts'
import { Action, Facts, Note, Paragraph, Title } from '../elements.tsx'
import { moment } from '../format.ts'
import { Layout, type Site } from '../layout.tsx'
import { type RenderedMail, renderMail } from '../render.ts'

export interface BreachNoticeProps {
  site: Site
  texts: Texts
  firstName: string
  /** what was read */
  held: readonly FieldGroup[]
  firstAt: Date
  lastAt: Date
  nature: string
  consequences: string
  measures: string
  contact: string
}

/** Art. 34(2): what happened, whom to ask, what may follow, and what is done about it: the operator's own words. */
export function renderBreachNotice(props: BreachNoticeProps): RenderedMail {
  const { site, texts, firstName } = props
  const { t } = texts
  const title = t('privacy.breach.subject')
  const [first, last] = [texts.day(props.firstAt), texts.day(props.lastAt)]
  return renderMail(
    title,
    <Layout site={site} texts={texts} preview={t('privacy.breach.preview')} reason={t('privacy.breach.reason')}>
      <Title>{title}</Title>
      <Paragraph>{t('privacy.breach.text', { firstName })}</Paragraph>
      <Paragraph>{props.nature}</Paragraph>
      <Facts
        of={[
          [t('privacy.breach.when'), first === last ? first : t('privacy.breach.period', { first, last })],
          [t('privacy.breach.read'), props.held.map((group) => t(`privacy.held.${group}`)).join('; ')],
          [t('privacy.breach.consequences'), props.consequences],
          [t('privacy.breach.measures'), props.measures],
          [t('privacy.breach.contact'), props.contact],
        ]}
      />
      <Note>{t('privacy.breach.note')}</Note>
    </Layout>,
  )
}

export interface BreachDueProps {
  site: Site
  breachId: string
  urgency: 'reminder' | 'escalation' | 'late'
  dueAt: Date
  consoleUrl: string
}

const titles: Record<BreachDueProps['urgency'], string> = {
  reminder: 'A breach has to be settled',
  escalation: 'URGENT: the authority has to be notified of a breach',
  late: 'OVERDUE: a breach is not settled',
}

/** To our own operators, in English. */
export function renderBreachDue({ site, breachId, urgency, dueAt, consoleUrl }: BreachDueProps): RenderedMail {
  const title = titles[urgency]
  return renderMail(
    title,
    <Layout site={site} preview={`The authority by ${moment(dueAt)}.`} reason="You get this mail as an operator.">
      <Title>{title}</Title>
      <Paragraph>
        Notify the authority within 72 hours of becoming aware, and decide whether the people are notified. Record both.
      </Paragraph>
      <Facts
        of={[
          ['Breach', breachId],
          ['Authority by', moment(dueAt)],
        ]}
      />
      <Action href={consoleUrl}>Open the console</Action>
    </Layout>,
  )
}
