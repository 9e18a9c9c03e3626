/** G3, R1, K1: the mail about a deleted account. The address is erased once it is sent. */
import { Action, Facts, Note, Paragraph, Title } from './elements.tsx'
import { day } from './format.ts'
import { Layout, type Site } from './layout.tsx'
import { type RenderedMail, renderMail } from './render.ts'

export type DeletionCause = 'requested' | 'inactivity' | 'sign_in_account_deleted' | 'child'

export interface AccountDeletedProps {
  site: Site
  cause: DeletionCause
  deletedOn: Date
  receiptId: string
  receiptUrl: string
  /** the day by which the last backup with the person's data is deleted */
  backupsGoneBy: Date
  /** we have no token to revoke Sign in with Apple: the person has to do it */
  removeAppleByHand?: boolean
}

const causes: Record<DeletionCause, string> = {
  requested: 'As you asked, we have deleted your account and your personal data.',
  inactivity: 'Your account was not used for three years, so we have deleted it and your personal data.',
  sign_in_account_deleted:
    'The Apple Account you signed in with was deleted, so we have deleted your account and your personal data.',
  child: 'We learned that this account belonged to a child under 13, so we have deleted it and its personal data.',
}

export function renderAccountDeleted(props: AccountDeletedProps): RenderedMail {
  const title = 'Your account is deleted'
  return renderMail(
    title,
    <Layout site={props.site} preview="This is our last mail to you." reason="This is our last mail to this address.">
      <Title>{title}</Title>
      <Paragraph>{causes[props.cause]}</Paragraph>
      <Paragraph>
        Invoices stay for as long as the law asks, without your name. Backups that still hold your data are gone by{' '}
        {day(props.backupsGoneBy)}, and are never used to bring it back.
      </Paragraph>
      {props.removeAppleByHand ? (
        <Paragraph>
          One thing only you can do: on your iPhone, open Settings, tap your name, then Sign in with Apple, and remove
          AMA eSIM from the list.
        </Paragraph>
      ) : null}
      <Facts
        of={[
          ['Deleted on', day(props.deletedOn)],
          ['Receipt', props.receiptId],
        ]}
      />
      <Action href={props.receiptUrl}>See the receipt</Action>
      <Note>
        The receipt shows what each of our partners has deleted. It holds nothing about you, so keep this mail if you
        want to find it again.
      </Note>
    </Layout>,
  )
}
