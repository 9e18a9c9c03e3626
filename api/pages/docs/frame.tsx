/** The frame of the documentation's pages: the brand, and the way from each of them to the others. */
import type { ReactNode } from 'react'
import { Wordmark } from '../brand/wordmark.tsx'
import { renderPage } from '../document.tsx'

const pages = {
  '/docs/quickstart': 'Quickstart',
  '/docs': 'Reference',
  '/docs/order-states': 'Order states',
  '/docs/events': 'Events',
} as const

/** @param current missing: a page that the others lead to, such as that of a problem */
export function renderDocsPage(title: string, content: ReactNode, current?: keyof typeof pages): string {
  return renderPage(
    `${title} · AMA eSIM API`,
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header>
        <a href="/" aria-label="AMA eSIM, start page">
          <Wordmark />
        </a>
        <nav aria-label="Documentation">
          {Object.entries(pages).map(([href, name]) => (
            <a key={href} href={href} aria-current={href === current ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
      </header>
      <main id="content">
        <h1>{title}</h1>
        {content}
      </main>
    </>,
  )
}
