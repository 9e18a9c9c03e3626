/**
 * G4, consent to promotions can be withdrawn at any time: unsubscribing takes one click and no sign-in. The mailed link
 * only shows a button, since mail scanners follow links.
 */
import type { ReactNode } from 'react'
import { type PageContext, renderLayout } from './layout.tsx'

export type UnsubscribePage = 'ask' | 'done' | 'off' | 'unknown'

/** @param what `off`: promotions are off already */
export function renderUnsubscribe(what: UnsubscribePage, page: PageContext): string {
  const { t, rich } = page.texts
  const withWay = { data: (words: ReactNode) => <a href="/account/data">{words}</a> }
  return renderLayout({
    ...page,
    title: t(`page.unsubscribe.${what}`),
    children:
      what === 'ask' ? (
        <>
          <p>{t('page.unsubscribe.askText')}</p>
          <form method="post">
            <input type="hidden" name="List-Unsubscribe" value="One-Click" />
            <button type="submit">{t('page.unsubscribe.stop')}</button>
          </form>
          <p className="quiet">{rich('page.unsubscribe.stays', withWay)}</p>
        </>
      ) : (
        <p>{what === 'off' ? t('page.unsubscribe.offText') : rich(`page.unsubscribe.${what}Text`, withWay)}</p>
      ),
  })
}
