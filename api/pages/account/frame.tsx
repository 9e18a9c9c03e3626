/** The common parts of an account's pages: the switch between them, and a notice about the last form. */
import type { ReactNode } from 'react'
import { account } from '../../../messages/en/account-pages.ts'
import type { Texts } from '../../../messages/texts.ts'
import { Icon } from '../brand/icons.tsx'

const pages = {
  '/account': { icon: 'sim', label: 'common.myEsims' },
  '/account/data': { icon: 'person', label: 'account.myData' },
} as const

export function AccountNav({ texts: { t }, current }: { texts: Texts; current: keyof typeof pages }) {
  return (
    <nav className="switch" aria-label={t('account.nav')}>
      {Object.entries(pages).map(([href, { icon, label }]) => (
        <a key={href} href={href} aria-current={href === current ? 'page' : undefined}>
          <Icon of={icon} /> {t(label)}
        </a>
      ))}
    </nav>
  )
}

/** Names of the notices on the page after a form, as the cookie has them. */
export type NoticeName = {
  [Key in keyof typeof account]: Key extends `notice.${infer Name}` ? Name : never
}[keyof typeof account]

const isNotice = (name: string): name is NoticeName => Object.hasOwn(account, `notice.${name}`)

/** @param of a name that a browser sent: anything */
export function Notice({ texts: { t }, of }: { texts: Texts; of: string | undefined }) {
  if (of === undefined || !isNotice(of)) return null
  return (
    <p className="saved" role="status">
      <Icon of="check" /> {t(`account.notice.${of}`)}
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
