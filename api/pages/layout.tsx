/** The layout of every page for persons: no scripts, no requests to other hosts, no caching unless asked for. */
import type { ReactNode } from 'react'
import { renderPage } from './document.tsx'
import { styleHash } from './style.ts'

export interface PageLayout {
  title: string
  supportMail: string
  children: ReactNode
}

/** Renders a page with the brand, one heading, its content and our address. */
export function renderLayout({ title, supportMail, children }: PageLayout): string {
  return renderPage(
    `${title} · AMA eSIM`,
    <>
      <header>
        <p>
          <strong>AMA eSIM</strong>
        </p>
      </header>
      <main>
        <h1>{title}</h1>
        {children}
      </main>
      <footer className="quiet">
        <hr />
        <p>
          Questions? Write to <a href={`mailto:${supportMail}`}>{supportMail}</a>. <a href="/privacy">Privacy policy</a>
        </p>
        <p>
          AMA eSIM is operated by 3AM GROUP L.L.C., Pajazit Islami 1, Fushë Kosovë, Kosovo. Business registration
          812130334.
        </p>
      </footer>
    </>,
  )
}

/**
 * The security and caching headers of a page.
 * @param options.forms allows forms that post to this site
 * @param options.images allows images that are embedded in the page
 * @param options.maxAgeSeconds allows shared caching; without it the page is not stored anywhere
 */
export function layoutHeaders(
  options: { forms?: boolean; images?: boolean; maxAgeSeconds?: number } = {},
): Record<string, string> {
  const { forms = false, images = false, maxAgeSeconds } = options
  return {
    'Cache-Control': maxAgeSeconds === undefined ? 'no-store' : `public, max-age=${maxAgeSeconds}`,
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${styleHash}`,
      ...(images ? ['img-src data:'] : []),
      "base-uri 'none'",
      `form-action ${forms ? "'self'" : "'none'"}`,
      "frame-ancestors 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
  }
}
