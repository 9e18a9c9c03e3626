/**
 * G1, G2, G4, G5, a person can see, correct and take along their data and withdraw consent: the page with a person's
 * data and its forms.
 */
import { type ConsentSource, consentSources } from '../../../db/consents.ts'
import { type PrivacyRequestKind, privacyRequestKinds } from '../../../db/privacy-requests.ts'
import type { OwnSession } from '../../../db/web-sessions.ts'
import type { Language } from '../../../messages/languages.ts'
import type { Texts } from '../../../messages/texts.ts'
import type { SavedCard } from '../../../providers/stripe/hosted.ts'
import { asOneLine } from '../../../shared/text/one-line.ts'
import type { RefusedForm } from '../../http/route.ts'
import { Choice, Facts, FaultSummary, Field, Form, type FormState, formState, TextField, WideTable } from '../form.tsx'
import { LanguageForm } from '../language-switch.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { AccountNav, Card, Notice } from './frame.tsx'
import { SavedCards } from './saved-cards.tsx'
import { Sessions } from './sessions.tsx'

export interface MyDataPage {
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
  /** null: Stripe keeps none for this person; undefined: it does not tell */
  cards: readonly SavedCard[] | null | undefined
  sessions: readonly OwnSession[]
  /** the new address of an open change */
  newEmail: string | null
  requests: { reference: string; kind: PrivacyRequestKind; state: string; receivedAt: Date; answerBy: Date }[]
  /** a new one for each page: a form that is sent twice is one request */
  once: string
}

/** The demand of each field; it is shown at a field that was refused. */
const asksOf = ({ t }: Texts) => ({
  profile: {
    firstName: t('account.ask.firstName'),
    lastName: t('account.ask.lastName'),
    phone: t('account.ask.phone'),
  },
  email: { email: t('account.ask.email') },
  privacyRequest: { kind: t('account.ask.kind'), message: t('account.ask.message') },
})
export type FormName = keyof ReturnType<typeof asksOf>

export function renderMyData(of: MyDataPage, page: PageContext): string {
  const { csrf, account, refused } = of
  const { texts } = page
  const { t, day } = texts
  const stateOf = (form: FormName): FormState | undefined =>
    refused?.form === form ? formState(texts, refused, asksOf(texts)[form]) : undefined
  return renderLayout({
    ...page,
    title: t('account.myData'),
    hasFault: refused !== undefined,
    children: (
      <>
        <AccountNav texts={texts} current="/account/data" />
        <Notice texts={texts} of={of.notice} />
        <FaultSummary of={refused && stateOf(refused.form)} />
        <Card title={t('account.data.who')}>
          <Profile of={of} texts={texts} state={stateOf('profile')} />
          <Facts
            of={[
              [t('account.data.since'), day(account.createdAt)],
              [t('account.data.lastUsed'), day(account.lastActiveAt)],
              [t('account.data.signUpIp'), account.signUpIp ?? t('account.data.notKept')],
              [t('account.data.signInIp'), account.lastLoginIp ?? t('account.data.notKept')],
              ...account.identities.map(
                ({ provider, subject }) =>
                  [t('account.data.signInBy', { provider: capitalised(provider) }), subject] as const,
              ),
              [
                t('account.data.policy'),
                <a key="policy" href={`/privacy/${encodeURIComponent(account.policyVersion)}`}>
                  {account.policyVersion}
                </a>,
              ],
            ]}
          />
        </Card>
        <Card title={t('account.data.language')}>
          <LanguageForm texts={texts} language={account.language} csrf={csrf} />
        </Card>
        <Card title={t('account.data.email')}>
          <EmailAddress of={of} texts={texts} state={stateOf('email')} />
        </Card>
        <Card title={t('account.data.offers')}>
          <Offers of={of} texts={texts} />
        </Card>
        {of.cards === null ? null : <SavedCards of={of.cards} csrf={csrf} texts={texts} />}
        <Card title={t('account.data.devices')}>
          <Devices of={of.devices} texts={texts} />
        </Card>
        <Sessions of={of.sessions} csrf={csrf} texts={texts} />
        <Card title={t('account.data.ask')}>
          <AskUs of={of} texts={texts} state={stateOf('privacyRequest')} />
        </Card>
        <Card title={t('account.data.leave')}>
          <p>
            <a className="button" href="/account/export">
              {t('account.data.export')}
            </a>
          </p>
          <p>
            <a href="/account/accesses">{t('account.data.accesses')}</a>
          </p>
          <p>
            <a href="/delete-account">{t('account.data.delete')}</a>
          </p>
          <Form action="/account/sign-out" csrf={csrf}>
            <button type="submit" className="plain">
              {t('account.data.signOut')}
            </button>
          </Form>
        </Card>
      </>
    ),
  })
}

/** `apple` becomes `Apple`. */
const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

interface PartProps {
  of: MyDataPage
  texts: Texts
  state: FormState | undefined
}

function Profile({ of: { csrf, account }, texts: { t }, state }: PartProps) {
  const shared = { state, required: true, maxLength: 100 } as const
  return (
    <Form action="/account/profile" csrf={csrf}>
      <Field name="firstName" label={t('account.data.firstName')} value={asOneLine(account.firstName)} {...shared} />
      <Field name="lastName" label={t('account.data.lastName')} value={asOneLine(account.lastName)} {...shared} />
      <Field
        name="phone"
        label={t('account.data.phone')}
        hint={t('account.data.phoneHint')}
        value={account.phone ?? ''}
        state={state}
        type="tel"
        autoComplete="tel"
      />
      <button type="submit">{t('page.save')}</button>
    </Form>
  )
}

function EmailAddress({ of: { account, newEmail, csrf }, texts: { t }, state }: PartProps) {
  return (
    <>
      <p>{account.email}</p>
      {account.mailState === 'bounced' ? <p className="notice">{t('account.data.bounced')}</p> : null}
      {newEmail ? <p className="notice">{t('account.data.changing', { address: newEmail })}</p> : null}
      <Form action="/account/email" csrf={csrf}>
        <Field
          name="email"
          label={t('account.data.newEmail')}
          state={state}
          type="email"
          autoComplete="email"
          required
          maxLength={254}
        />
        <button type="submit" className="plain">
          {t('account.data.changeEmail')}
        </button>
      </Form>
    </>
  )
}

/** The database takes any text as a source: a row of another version must not take the page away. */
const isSource = (source: string): source is ConsentSource => consentSources.some((known) => known === source)

function Offers({ of: { csrf, account, consents }, texts: { t, moment } }: Omit<PartProps, 'state'>) {
  return (
    <>
      <Form action="/account/promotions" csrf={csrf}>
        <label className="choice">
          <input type="checkbox" name="granted" defaultChecked={account.promotions} /> {t('account.data.sendOffers')}
        </label>
        <button type="submit" className="plain" aria-label={`${t('page.save')}: ${t('account.data.offers')}`}>
          {t('page.save')}
        </button>
      </Form>
      {consents.length > 0 ? (
        <details>
          <summary>{t('account.data.said')}</summary>
          <ul>
            {consents.map(({ granted, source, at }) => (
              <li key={at.toISOString()}>
                {t(granted ? 'account.data.saidYes' : 'account.data.saidNo', {
                  at: moment(at),
                  source: isSource(source) ? t(`account.source.${source}`) : source,
                })}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </>
  )
}

const platformNames: Readonly<Record<string, string | undefined>> = { ios: 'iOS', android: 'Android' }

function Devices({ of, texts: { t, day: dayOf } }: { of: MyDataPage['devices']; texts: Texts }) {
  if (of.length === 0) return <p>{t('account.data.none')}</p>
  return (
    <ul>
      {of.map(({ platform, model: known, appVersion: version, seenAt }) => {
        const [model, day] = [known ?? platformNames[platform] ?? platform, dayOf(seenAt)]
        return (
          <li key={seenAt.toISOString()}>
            {version === null
              ? t('account.data.deviceUnknown', { model, day })
              : t('account.data.device', { model, version, day })}
          </li>
        )
      })}
    </ul>
  )
}

/** Deletion and export have separate buttons and are done at once: requests of these kinds are for the rest. */
function AskUs({ of: { csrf, once, requests }, texts, state }: PartProps) {
  const { t } = texts
  const kinds = Object.fromEntries(privacyRequestKinds.map((kind) => [kind, t(`account.kind.${kind}`)]))
  return (
    <>
      <p>{t('account.data.askText')}</p>
      <Form action="/account/privacy-request" csrf={csrf}>
        <input type="hidden" name="once" value={once} />
        <Choice name="kind" label={t('account.data.about')} state={state} options={kinds} />
        <TextField name="message" label={t('account.data.message')} state={state} required maxLength={20_000} />
        <button type="submit" className="plain">
          {t('account.data.send')}
        </button>
      </Form>
      <Requests of={requests} texts={texts} />
    </>
  )
}

function Requests({ of, texts: { t, day } }: { of: MyDataPage['requests']; texts: Texts }) {
  if (of.length === 0) return null
  const heads = [t('account.data.request'), t('account.data.about'), t('account.data.asked'), t('account.data.answer')]
  return (
    <WideTable label={t('account.data.requests')} heads={heads} stacks>
      {of.map((request) => (
        <tr key={request.reference}>
          <td>{request.reference}</td>
          <td className="what">{t(`account.kind.${request.kind}`)}</td>
          <td>{day(request.receivedAt)}</td>
          <td>
            {request.state === 'answered'
              ? t('account.data.answered')
              : t('account.data.answerBy', { day: day(request.answerBy) })}
          </td>
        </tr>
      ))}
    </WideTable>
  )
}
