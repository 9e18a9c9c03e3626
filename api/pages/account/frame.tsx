/** What the pages of an account have in common: the switch between them, and what was just done. */
import type { ReactNode } from 'react'
import { Icon } from '../brand/icons.tsx'

const pages = {
  '/account': { icon: 'sim', label: 'My eSIMs' },
  '/account/data': { icon: 'person', label: 'My data' },
} as const

export function AccountNav({ current }: { current: keyof typeof pages }) {
  return (
    <nav className="switch" aria-label="Account">
      {Object.entries(pages).map(([href, { icon, label }]) => (
        <a key={href} href={href} aria-current={href === current ? 'page' : undefined}>
          <Icon of={icon} /> {label}
        </a>
      ))}
    </nav>
  )
}

/** What the page after a form says, by the name in its cookie. */
const notices = {
  profile: 'Your name and phone number are saved.',
  offers_on: 'Saved: we send you offers.',
  offers_off: 'Saved: we send you no offers.',
  email: 'Both addresses have a mail now. The change is done once both have agreed.',
  request: 'We have your request and answer it by mail.',
  resent: 'The mail with your eSIM is on its way.',
  cancelled: 'The order is cancelled.',
  returned: 'Your eSIM goes back, and so does your money.',
  withdrawn: 'Your withdrawal was received. A mail confirms it with date and time.',
} as const
export type NoticeName = keyof typeof notices

/** @param of a name that a browser sent: anything */
export function Notice({ of }: { of: string | undefined }) {
  if (of === undefined || !Object.hasOwn(notices, of)) return null
  return (
    <p className="saved" role="status">
      <Icon of="check" /> {notices[of as NoticeName]}
    </p>
  )
}

export function Card({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {children}
    </section>
  )
}
