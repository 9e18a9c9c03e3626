/**
 * G2, everybody can correct their data: pages on which each address agrees to a change. They need a button, since mail
 * scanners follow links.
 */
import { type PageContext, renderLayout } from './layout.tsx'

export type EmailChangePage = 'ask_old' | 'ask_new' | 'agreed' | 'changed' | 'over'

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
        <p>{t(`page.emailChange.${what}Text`)}</p>
      ),
  })
}
