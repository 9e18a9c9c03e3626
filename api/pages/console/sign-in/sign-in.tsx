import type { RefusedForm } from '../../../http/route.ts'
import { Form } from '../../form.tsx'
import { englishPage, renderLayout } from '../../layout.tsx'

export interface WaysToSignIn {
  /** an operator key opens the console, too */
  keys: boolean
  /** there is an OpenID provider */
  openId: boolean
}

/** The page before the OpenID provider's. @param address at the provider */
export const renderLeadingOn = (supportMail: string, address: string): string =>
  renderLayout({
    ...englishPage(supportMail),
    head: null,
    title: 'Sign in with your company account',
    next: address,
    children: (
      <p>
        <a className="button" href={address}>
          Go on to {new URL(address).host}
        </a>
      </p>
    ),
  })

/** The page after the OpenID provider's. */
export const renderSignedIn = (supportMail: string): string =>
  renderLayout({
    ...englishPage(supportMail),
    head: null,
    title: 'You are signed in',
    next: '/console',
    children: (
      <p>
        <a className="button" href="/console">
          Open the console
        </a>
      </p>
    ),
  })

/** The same words for each fault: they must not show which field was wrong. */
const meaningOf = ({ problem }: RefusedForm): string =>
  problem.code === 'too_many_requests'
    ? 'Too many attempts. Wait some minutes, then try again.'
    : 'Nobody is signed in: what was sent is not known, or no longer valid.'

/** @param refused the form as it was sent, if it was refused */
export function renderConsoleSignIn(supportMail: string, ways: WaysToSignIn, refused?: RefusedForm): string {
  return renderLayout({
    ...englishPage(supportMail),
    head: null,
    title: 'Operators’ console',
    hasFault: refused !== undefined,
    children: (
      <>
        {refused ? (
          <p className="faults" role="alert">
            {meaningOf(refused)}
          </p>
        ) : null}
        {ways.openId ? (
          <Form action="/console/sign-in/openid">
            <button type="submit">Sign in with your company account</button>
          </Form>
        ) : null}
        <Form action="/console/sign-in/person">
          {ways.openId ? <h2>Or with a password</h2> : null}
          <label>
            Your e-mail address
            <input
              type="email"
              name="email"
              defaultValue={refused?.typed.email}
              required
              maxLength={320}
              autoComplete="username"
            />
          </label>
          <label>
            Your password
            <input type="password" name="password" required maxLength={200} autoComplete="current-password" />
          </label>
          <label>
            The code of your authenticator
            <input name="code" required maxLength={10} inputMode="numeric" autoComplete="one-time-code" />
          </label>
          <button type="submit">Sign in</button>
        </Form>
        {ways.keys ? (
          <Form action="/console/sign-in">
            <h2>Or with a key</h2>
            <label>
              Your operator key
              <input type="password" name="key" required autoComplete="off" />
            </label>
            <button type="submit" className="plain">
              Sign in with the key
            </button>
          </Form>
        ) : null}
      </>
    ),
  })
}
