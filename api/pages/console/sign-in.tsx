import { Form } from '../form.tsx'
import { renderLayout } from '../layout.tsx'

export function renderConsoleSignIn(supportMail: string): string {
  return renderLayout({
    title: 'Operators’ console',
    supportMail,
    children: (
      <Form action="/console/sign-in">
        <label>
          Your operator key
          <input type="password" name="key" required autoComplete="off" />
        </label>
        <button type="submit">Sign in</button>
      </Form>
    ),
  })
}
