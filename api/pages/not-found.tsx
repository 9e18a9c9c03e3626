import { renderLayout } from './layout.tsx'

/** For links with a secret in them: wrong, used up, too old and erased look the same. */
export function renderNotFound(supportMail: string): string {
  return renderLayout({
    title: 'This link does not work',
    supportMail,
    children: <p>It may be too old, used already, or not copied whole. What it showed may have been deleted, too.</p>,
  })
}
