/**
 * G4, consent to promotions can be withdrawn at any time: unsubscribing takes one click and no sign-in. The mailed link
 * only shows a button, since mail scanners follow links.
 */
import { type PageContext, renderLayout } from './layout.tsx'

export type UnsubscribePage = 'ask' | 'done' | 'off' | 'unknown'

/** @param what `off`: promotions are off already */
export function renderUnsubscribe(what: UnsubscribePage, page: PageContext): string {
  const { t } = page.texts
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
          <p className="quiet">{t('page.unsubscribe.stays')}</p>
        </>
      ) : (
        <p>{t(`page.unsubscribe.${what}Text`)}</p>
      ),
  })
}
