/** GDPR articles 33 and 34: mails about a personal data breach, to operators and to the people whose data was read. */
import { Action, Facts, Note, Paragraph, Title } from '../elements.tsx'
import { day, moment } from '../format.ts'
import { Layout, type Site } from '../layout.tsx'
import { type RenderedMail, renderMail } from '../render.ts'

export interface BreachNoticeProps {
  site: Site
  firstName: string
  /** what was read, a line each */
  held: readonly string[]
  firstAt: Date
  lastAt: Date
  nature: string
  consequences: string
  measures: string
  contact: string
}

/** Art. 34(2): what happened, whom to ask, what may follow, and what is done about it. */
export function renderBreachNotice(props: BreachNoticeProps): RenderedMail {
  const title = 'Somebody has seen your data'
  const { firstAt, lastAt } = props
  const period = day(firstAt) === day(lastAt) ? day(firstAt) : `${day(firstAt)} to ${day(lastAt)}`
  return renderMail(
    title,
    <Layout
      site={props.site}
      preview="What happened, what may follow, and what you can do."
      reason="You get this mail because the law requires us to tell you of a breach of your data."
    >
      <Title>{title}</Title>
      <Paragraph>
        Dear {props.firstName}, data of your AMA eSIM account was read by somebody who should not have seen it. We are
        sorry.
      </Paragraph>
      <Paragraph>{props.nature}</Paragraph>
      <Facts
        of={[
          ['When', period],
          ['What was read', props.held.join('; ')],
          ['What may follow', props.consequences],
          ['What we have done', props.measures],
          ['Whom to ask', props.contact],
        ]}
      />
      <Note>
        Be careful with mails and calls that mention your orders. We never ask for passwords or card numbers. You may
        also complain to a data protection authority.
      </Note>
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
  escalation: 'URGENT: the authority has to be told of a breach',
  late: 'OVERDUE: a breach is not settled',
}

export function renderBreachDue({ site, breachId, urgency, dueAt, consoleUrl }: BreachDueProps): RenderedMail {
  const title = titles[urgency]
  return renderMail(
    title,
    <Layout site={site} preview={`The authority by ${moment(dueAt)}.`} reason="You get this mail as an operator.">
      <Title>{title}</Title>
      <Paragraph>
        Tell the authority within 72 hours of becoming aware, and decide whether the people are told. Record both.
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
