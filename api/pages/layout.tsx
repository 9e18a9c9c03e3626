/** What every page for persons looks like. No script, nothing fetched from elsewhere, nothing kept by the browser. */
import type { ReactNode } from 'react'
import { renderPage } from './document.tsx'
import { styleHash } from './style.ts'

export interface PageLayout {
  title: string
  supportMail: string
  children: ReactNode
}

/** An HTML document: the brand, one heading, what the page says, and where to find us. */
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
 * Headers of a page.
 * @param options.forms whether it holds a form, which may post to this site only
 * @param options.images whether it holds images, which stand in the page itself
 * @param options.maxAgeSeconds unless given, nobody keeps a copy
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
