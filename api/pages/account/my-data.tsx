/** G1, G2, G4, G5: a person's data, with forms to correct and export them. */
import type { ReactNode } from 'react'
import type { PrivacyRequestKind } from '../../db/privacy-requests.ts'
import { day, moment, money } from '../../mails/format.ts'
import { Facts, Form, Heads } from './form.tsx'
import { renderLayout } from './layout.tsx'

export interface AccountPage {
  supportMail: string
  csrf: string
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
    createdAt: Date
    lastActiveAt: Date
    promotions: boolean
  }
  consents: { granted: boolean; source: string; at: Date }[]
  devices: { platform: string; model: string | null; appVersion: string | null; seenAt: Date }[]
  orders: OrderLine[]
  /** the new address of an open change */
  newEmail: string | null
  requests: { reference: string; kind: PrivacyRequestKind; state: string; receivedAt: Date; answerBy: Date }[]
  /** a new one for each page: a form that is sent twice is one request */
  once: string
}

export interface OrderLine {
  id: string
  createdAt: Date
  packageName: string
  status: string
  minor: number
  currency: string
  installUrl: string | null
}

export function renderAccount(page: AccountPage): string {
  const { csrf, account } = page
  return renderLayout({
    title: 'Your account',
    supportMail: page.supportMail,
    children: (
      <>
        <Card title="Your data">
          <Form action="/account/profile" csrf={csrf}>
            <Field name="firstName" label="First name" value={account.firstName} required />
            <Field name="lastName" label="Last name" value={account.lastName} required />
            <Field name="phone" label="Phone number (optional, as +383…)" value={account.phone ?? ''} type="tel" />
            <button type="submit">Save</button>
          </Form>
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
        <Card title="E-mail address">
          <p>{account.email}</p>
          {account.mailState === 'bounced' ? (
            <p className="notice">
              Mail to this address comes back to us. Please correct it, or tell us that it works.
            </p>
          ) : null}
          {page.newEmail ? (
            <p className="notice">
              {page.newEmail} takes its place once both addresses have agreed: look into both mails.
            </p>
          ) : null}
          <Form action="/account/email" csrf={csrf}>
            <Field name="email" label="New address" value="" type="email" required />
            <button type="submit" className="plain">
              Change it
            </button>
          </Form>
        </Card>
        <Card title="Offers">
          <Form action="/account/promotions" csrf={csrf}>
            <label className="choice">
              <input type="checkbox" name="granted" defaultChecked={account.promotions} /> Send me offers by mail
            </label>
            <button type="submit" className="plain">
              Save
            </button>
          </Form>
          {page.consents.length > 0 ? (
            <details>
              <summary>What you have said</summary>
              <ul>
                {page.consents.map(({ granted, source, at }) => (
                  <li key={at.toISOString()}>
                    {moment(at)}: {granted ? 'yes' : 'no'} ({source.replaceAll('_', ' ')})
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </Card>
        <Card title="Orders">
          <Orders of={page.orders} />
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
          <p>About your data, and your rights to it. We answer by mail, within 30 days.</p>
          <Form action="/account/privacy-request" csrf={csrf}>
            <input type="hidden" name="once" value={page.once} />
            <label>
              About
              <select name="kind">
                {Object.entries(kinds).map(([kind, words]) => (
                  <option key={kind} value={kind}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Your question or wish
              <textarea name="message" required maxLength={20_000} />
            </label>
            <button type="submit" className="plain">
              Send it
            </button>
          </Form>
          <Requests of={page.requests} />
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

function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {children}
    </section>
  )
}

interface FieldProps {
  name: string
  label: string
  value: string
  type?: 'text' | 'email' | 'tel'
  required?: boolean
}

function Field({ name, label, value, type = 'text', required = false }: FieldProps) {
  return (
    <label>
      {label}
      <input type={type} name={name} defaultValue={value} required={required} />
    </label>
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

function Requests({ of }: { of: AccountPage['requests'] }) {
  if (of.length === 0) return null
  return (
    <div className="scroll">
      <table>
        <Heads of={['Request', 'About', 'Asked', 'Answer']} />
        <tbody>
          {of.map((request) => (
            <tr key={request.reference}>
              <td>{request.reference}</td>
              <td>{kinds[request.kind]}</td>
              <td>{day(request.receivedAt)}</td>
              <td>{request.state === 'answered' ? 'mailed to you' : `by ${day(request.answerBy)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Orders({ of }: { of: OrderLine[] }) {
  if (of.length === 0) return <p>None.</p>
  return (
    <div className="scroll">
      <table>
        <Heads of={['Bought', 'Package', 'Price']} />
        <tbody>
          {of.map((order) => (
            <tr key={order.id}>
              <td>{day(order.createdAt)}</td>
              <td>
                {order.installUrl ? <a href={order.installUrl}>{order.packageName}</a> : order.packageName}
                <br />
                <span className="quiet">{order.status.replaceAll('_', ' ')}</span>
              </td>
              <td>{money({ minor: order.minor, currency: order.currency })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
