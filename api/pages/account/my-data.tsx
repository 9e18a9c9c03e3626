/** G1, G2, G4, G5: a person's data, with forms to correct and export them. */
import type { PrivacyRequestKind } from '../../../db/privacy-requests.ts'
import { day, moment } from '../../../mails/format.ts'
import type { Language } from '../../../messages/languages.ts'
import { textsOf } from '../../../messages/texts.ts'
import type { RefusedForm } from '../../http/route.ts'
import { Choice, Facts, FaultSummary, Field, Form, type FormState, formState, TextField, WideTable } from '../form.tsx'
import { LanguageForm } from '../language-switch.tsx'
import { renderLayout } from '../layout.tsx'
import { AccountNav, Card, Notice } from './frame.tsx'

export interface MyDataPage {
  supportMail: string
  csrf: string
  /** the name of what was just done */
  notice: string | undefined
  /** a form of this page that was refused */
  refused: (RefusedForm & { form: FormName }) | undefined
  account: {
    email: string
    mailState: 'ok' | 'bounced'
    firstName: string
    lastName: string
    phone: string | null
    signUpIp: string | null
    lastLoginIp: string | null
    identities: { provider: string; subject: string }[]
    policyVersion: string
    language: Language
    createdAt: Date
    lastActiveAt: Date
    promotions: boolean
  }
  consents: { granted: boolean; source: string; at: Date }[]
  devices: { platform: string; model: string | null; appVersion: string | null; seenAt: Date }[]
  /** the new address of an open change */
  newEmail: string | null
  requests: { reference: string; kind: PrivacyRequestKind; state: string; receivedAt: Date; answerBy: Date }[]
  /** a new one for each page: a form that is sent twice is one request */
  once: string
}

/** What each field asks for; it is said at the field that was refused. */
const asks = {
  profile: {
    firstName: 'Write your first name, with 100 characters at most.',
    lastName: 'Write your last name, with 100 characters at most.',
    phone: 'Write the number with its country code, as +38344123456, or leave it empty.',
  },
  email: { email: 'Write an address as name@example.com.' },
  privacyRequest: {
    kind: 'Choose what it is about.',
    message: 'Write your question or wish, with 20,000 characters at most.',
  },
} as const
export type FormName = keyof typeof asks

export function renderMyData(page: MyDataPage): string {
  const { csrf, account, refused } = page
  const stateOf = (form: FormName): FormState | undefined =>
    refused?.form === form ? formState(refused, asks[form]) : undefined
  return renderLayout({
    title: 'My data',
    supportMail: page.supportMail,
    hasFault: refused !== undefined,
    children: (
      <>
        <AccountNav current="/account/data" />
        <Notice of={page.notice} />
        <FaultSummary of={refused && stateOf(refused.form)} />
        <Card title="Who you are">
          <Profile page={page} state={stateOf('profile')} />
          <Facts
            of={[
              ['Since', day(account.createdAt)],
              ['Last used', day(account.lastActiveAt)],
              ['IP address at sign-up', account.signUpIp ?? 'not kept'],
              ['IP address at last sign-in', account.lastLoginIp ?? 'not kept'],
              ...account.identities.map(({ provider, subject }) => [`Sign-in by ${provider}`, subject] as const),
              [
                'Privacy policy accepted',
                <a key="policy" href={`/privacy/${encodeURIComponent(account.policyVersion)}`}>
                  {account.policyVersion}
                </a>,
              ],
            ]}
          />
        </Card>
        <Card title="Language">
          <LanguageForm texts={textsOf('en')} language={account.language} csrf={csrf} />
        </Card>
        <Card title="E-mail address">
          <EmailAddress page={page} state={stateOf('email')} />
        </Card>
        <Card title="Offers">
          <Offers page={page} />
        </Card>
        <Card title="Devices">
          {page.devices.length === 0 ? <p>None.</p> : null}
          <ul>
            {page.devices.map((device) => (
              <li key={device.seenAt.toISOString()}>
                {device.model ?? device.platform}, app {device.appVersion ?? 'of unknown version'}, last seen{' '}
                {day(device.seenAt)}
              </li>
            ))}
          </ul>
        </Card>
        <Card title="Ask us something else">
          <AskUs page={page} state={stateOf('privacyRequest')} />
        </Card>
        <Card title="Take it along, or leave">
          <p>
            <a className="button" href="/account/export">
              Download everything as JSON
            </a>
          </p>
          <p>
            <a href="/delete-account">Delete the account</a>
          </p>
          <Form action="/account/sign-out" csrf={csrf}>
            <button type="submit" className="plain">
              Sign out
            </button>
          </Form>
        </Card>
      </>
    ),
  })
}

interface PartProps {
  page: MyDataPage
  state: FormState | undefined
}

function Profile({ page: { csrf, account }, state }: PartProps) {
  return (
    <Form action="/account/profile" csrf={csrf}>
      <Field name="firstName" label="First name" value={account.firstName} state={state} required maxLength={100} />
      <Field name="lastName" label="Last name" value={account.lastName} state={state} required maxLength={100} />
      <Field
        name="phone"
        label="Phone number"
        hint="You may leave it empty. With the country code, as +38344123456."
        value={account.phone ?? ''}
        state={state}
        type="tel"
        autoComplete="tel"
      />
      <button type="submit">Save</button>
    </Form>
  )
}

function EmailAddress({ page: { account, newEmail, csrf }, state }: PartProps) {
  return (
    <>
      <p>{account.email}</p>
      {account.mailState === 'bounced' ? (
        <p className="notice">Mail to this address comes back to us. Please correct it, or tell us that it works.</p>
      ) : null}
      {newEmail ? (
        <p className="notice">{newEmail} takes its place once both addresses have agreed: look into both mails.</p>
      ) : null}
      <Form action="/account/email" csrf={csrf}>
        <Field
          name="email"
          label="New address"
          state={state}
          type="email"
          autoComplete="email"
          required
          maxLength={254}
        />
        <button type="submit" className="plain">
          Change it
        </button>
      </Form>
    </>
  )
}

function Offers({ page: { csrf, account, consents } }: { page: MyDataPage }) {
  return (
    <>
      <Form action="/account/promotions" csrf={csrf}>
        <label className="choice">
          <input type="checkbox" name="granted" defaultChecked={account.promotions} /> Send me offers by mail
        </label>
        <button type="submit" className="plain" aria-label="Save the choice of offers">
          Save
        </button>
      </Form>
      {consents.length > 0 ? (
        <details>
          <summary>What you have said</summary>
          <ul>
            {consents.map(({ granted, source, at }) => (
              <li key={at.toISOString()}>
                {moment(at)}: {granted ? 'yes' : 'no'} ({source.replaceAll('_', ' ')})
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  )
}

/** Without deletion and export, which have buttons of their own and are done at once. */
const kinds: Record<PrivacyRequestKind, string> = {
  access: 'What you know about me',
  correction: 'Something is wrong and I cannot correct it',
  restriction: 'Do not use my data for now',
  objection: 'I object to a use of my data',
  portability: 'My data in another form',
  erasure: 'Deleting some of my data',
  other: 'Something else',
}

function AskUs({ page: { csrf, once, requests }, state }: PartProps) {
  return (
    <>
      <p>About your data, and your rights to it. We answer by mail, within 30 days.</p>
      <Form action="/account/privacy-request" csrf={csrf}>
        <input type="hidden" name="once" value={once} />
        <Choice name="kind" label="About" state={state} options={kinds} />
        <TextField name="message" label="Your question or wish" state={state} required maxLength={20_000} />
        <button type="submit" className="plain">
          Send it
        </button>
      </Form>
      <Requests of={requests} />
    </>
  )
}

function Requests({ of }: { of: MyDataPage['requests'] }) {
  if (of.length === 0) return null
  return (
    <WideTable label="Your requests" heads={['Request', 'About', 'Asked', 'Answer']}>
      {of.map((request) => (
        <tr key={request.reference}>
          <td>{request.reference}</td>
          <td>{kinds[request.kind]}</td>
          <td>{day(request.receivedAt)}</td>
          <td>{request.state === 'answered' ? 'mailed to you' : `by ${day(request.answerBy)}`}</td>
        </tr>
      ))}
    </WideTable>
  )
}
