/**
 * G2, everybody can correct their data: pages on which each address agrees to a change. They need a button, since mail
 * scanners follow links.
 */
import { Icon } from './brand/icons.tsx'
import { type PageContext, renderLayout } from './layout.tsx'

export type EmailChangePage = 'ask_old' | 'ask_new' | 'agreed' | 'changed' | 'over'

/** A change ends the sessions of the web. */
const wayOn = {
  agreed: { href: '/account', label: 'common.myEsims' },
  changed: { href: '/account/sign-in', label: 'trouble.signIn' },
  over: { href: '/account/data', label: 'account.myData' },
} as const

export function renderEmailChange(what: EmailChangePage, page: PageContext): string {
  const { t } = page.texts
  const side = { ask_old: 'Old', ask_new: 'New' } as const
  return renderLayout({
    ...page,
    title: t(`page.emailChange.${what}`),
    children:
      what === 'ask_old' || what === 'ask_new' ? (
        <>
          <p>{t(`page.emailChange.ask${side[what]}Text`)}</p>
          <form method="post">
            <button type="submit">{t('page.emailChange.agree')}</button>
          </form>
          <p className="quiet">{t(`page.emailChange.ask${side[what]}Note`)}</p>
        </>
      ) : (
        <>
          <p>{t(`page.emailChange.${what}Text`)}</p>
          <p>
            <a className="way" href={wayOn[what].href}>
              <Icon of="forward" /> {t(wayOn[what].label)}
            </a>
          </p>
        </>
      ),
  })
}
