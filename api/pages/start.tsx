/** The page at `/`: it leads a person to their eSIMs and their rights who knows only our address. */
import type { ReactNode } from 'react'
import { Icon, type IconName } from './brand/icons.tsx'
import { renderLayout } from './layout.tsx'

const ways: { href: string; icon: IconName; name: string; about: ReactNode }[] = [
  {
    href: '/account',
    icon: 'sim',
    name: 'My eSIMs',
    about: 'Install them, see how much data is left, get an invoice, or give one back.',
  },
  {
    href: '/account/data',
    icon: 'person',
    name: 'My data',
    about: 'See what we know, correct it, take it along, and switch offers on and off.',
  },
  { href: '/privacy', icon: 'shield', name: 'Privacy policy', about: 'The version in force, and every earlier one.' },
  { href: '/delete-account', icon: 'warning', name: 'Delete your account', about: 'At once, with a receipt.' },
  { href: '/docs', icon: 'data', name: 'API documentation', about: 'For developers.' },
]

export function renderStart(supportMail: string): string {
  return renderLayout({
    title: 'Mobile data wherever you land',
    supportMail,
    children: (
      <>
        <p>Travel eSIMs, bought in our app and installed in minutes.</p>
        <div className="card">
          <ul className="rows">
            {ways.map(({ href, icon, name, about }) => (
              <li key={href}>
                <a href={href}>
                  <Icon of={icon} />
                  <span className="grow">
                    <strong>{name}</strong>
                    <br />
                    <span className="quiet">{about}</span>
                  </span>
                  <Icon of="forward" />
                </a>
              </li>
            ))}
          </ul>
        </div>
      </>
    ),
  })
}
