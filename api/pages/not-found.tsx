import { Icon } from './brand/icons.tsx'
import { renderLayout } from './layout.tsx'

/** The page for links with a secret. Wrong, spent, expired and erased links look the same: none tells that it existed. */
export function renderNotFound(supportMail: string): string {
  return renderLayout({
    title: 'This link does not work',
    supportMail,
    children: (
      <>
        <p>It may be too old, used already, or not copied whole. What it showed may have been deleted, too.</p>
        <p>
          <a className="way" href="/account">
            <Icon of="forward" /> My eSIMs: sign in to see what you bought
          </a>
        </p>
      </>
    ),
  })
}
