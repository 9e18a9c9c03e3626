import { Icon } from '../brand/icons.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'

/**
 * The page for links with a secret. Wrong, spent, expired and erased links look the same: none tells that it existed.
 */
export function renderNotFound(page: PageContext): string {
  const { t } = page.texts
  return renderLayout({
    ...page,
    title: t('account.lost.title'),
    children: (
      <>
        <p>{t('account.lost.text')}</p>
        <p>
          <a className="way" href="/account">
            <Icon of="forward" /> {t('account.lost.way')}
          </a>
        </p>
      </>
    ),
  })
}
