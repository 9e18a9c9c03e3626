/** G2: pages on which each address agrees to a change. They need a button, since mail scanners follow links. */
import { renderLayout } from './layout.tsx'

export type EmailChangePage = 'ask_old' | 'ask_new' | 'agreed' | 'changed' | 'over'

const titles: Record<EmailChangePage, string> = {
  ask_old: 'Change the address of your account?',
  ask_new: 'Use this address for your account?',
  agreed: 'Thank you',
  changed: 'The address is changed',
  over: 'The address stays as it was',
}

export function renderEmailChange(page: EmailChangePage, supportMail: string): string {
  const button = (
    <form method="post">
      <button type="submit">I agree</button>
    </form>
  )
  return renderLayout({
    title: titles[page],
    supportMail,
    children: {
      ask_old: (
        <>
          <p>From then on mails about your account and your eSIMs go to the new address only.</p>
          {button}
          <p className="quiet">
            If you did not ask for it, close this page and write to us: nothing happens without you.
          </p>
        </>
      ),
      ask_new: (
        <>
          <p>Mails about the account and its eSIMs will come here.</p>
          {button}
          <p className="quiet">If you do not know what this is about, close this page.</p>
        </>
      ),
      agreed: <p>The other address has to agree, too: a link was mailed to it.</p>,
      changed: <p>Mails go to the new address from now on. Sign in again where you were signed in on the web.</p>,
      over: <p>The change was replaced or cancelled, took too long, or the new address has an account of its own.</p>,
    }[page],
  })
}
