import { Form } from '../form.tsx'
import { englishPage, renderLayout } from '../layout.tsx'

/** @param keysMay whether an operator key opens the console, too */
export function renderConsoleSignIn(supportMail: string, keysMay: boolean): string {
  return renderLayout({
    ...englishPage(supportMail),
    title: 'Operators’ console',
    children: (
      <>
        <Form action="/console/sign-in/person">
          <label>
            Your e-mail address
            <input type="email" name="email" required maxLength={320} autoComplete="username" />
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
        {keysMay ? (
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
