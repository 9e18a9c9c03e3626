/** Pages of the sign-in by a mailed link. */
import type { RefusedForm } from '../http/route.ts'
import { FaultSummary, Field, Form, formState } from './form.tsx'
import { renderLayout } from './layout.tsx'

/** The pages to which a sign-in can lead. */
export const destinations = ['account', 'account/data', 'delete-account'] as const
export type Destination = (typeof destinations)[number]

const asks = { email: 'Write an address as name@example.com.' } as const

/** @param refused the form as it was typed, if it was refused */
export function renderAskAddress(next: Destination, supportMail: string, refused?: RefusedForm): string {
  const state = refused && formState(refused, asks)
  return renderLayout({
    title: 'Sign in',
    supportMail,
    hasFault: refused !== undefined,
    children: (
      <>
        <FaultSummary of={state} />
        {next === 'delete-account' ? <p>To delete an account, sign in first.</p> : null}
        <p>We mail you a link that works once. There is no password.</p>
        <Form action="/account/sign-in">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label="Your e-mail address"
            state={state}
            type="email"
            autoComplete="email"
            required
            maxLength={254}
          />
          <button type="submit">Mail me a link</button>
        </Form>
      </>
    ),
  })
}

/** The same page with and without an account: it must not tell who has one. */
export function renderLinkSent(supportMail: string, validMinutes: number): string {
  return renderLayout({
    title: 'Look into your mail',
    supportMail,
    children: (
      <>
        <p>
          If there is an account with this address, a link is on its way. It works once, for {validMinutes} minutes.
        </p>
        <p className="quiet">
          Nothing came? Look among the unwanted mails, or <a href="/account/sign-in">try again</a> with the address you
          bought with.
        </p>
      </>
    ),
  })
}

/** Mail scanners follow links: only the button signs in. */
export function renderUseLink(token: string, supportMail: string): string {
  return renderLayout({
    title: 'Sign in to AMA eSIM',
    supportMail,
    children: (
      <Form action={`/account/sign-in/${token}`}>
        <button type="submit">Sign in</button>
      </Form>
    ),
  })
}
