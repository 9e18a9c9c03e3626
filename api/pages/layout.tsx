/** The layout of every page for persons: no requests to other hosts, no caching unless asked for. */
import type { ReactNode } from 'react'
import { Icon } from './brand/icons.tsx'
import { Wordmark } from './brand/wordmark.tsx'
import { copyScriptHash } from './copy-script.ts'
import { renderPage } from './document.tsx'
import { styleHash } from './style.ts'

export interface PageLayout {
  title: string
  supportMail: string
  /** what leads back, shown above the heading */
  back?: { href: string; label: string } | undefined
  /** a form on the page was refused: the title says so */
  hasFault?: boolean
  /** needs `copyButtons` in the headers, too */
  copyButtons?: boolean
  children: ReactNode
}

export const company =
  'AMA eSIM is operated by 3AM GROUP L.L.C., Pajazit Islami 1, Fushë Kosovë, Kosovo. Business registration 812130334.'

/** Renders a page with the brand, one heading, its content and our address. */
export function renderLayout({
  title,
  supportMail,
  back,
  hasFault,
  copyButtons = false,
  children,
}: PageLayout): string {
  return renderPage(
    `${hasFault ? 'Error: ' : ''}${title} · AMA eSIM`,
    <>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header>
        <a href="/" aria-label="AMA eSIM, start page">
          <Wordmark />
        </a>
        <nav aria-label="Site">
          <a href="/account">
            <Icon of="sim" /> My eSIMs
          </a>
        </nav>
      </header>
      <main id="content">
        {back ? (
          <a className="way screen" href={back.href}>
            <Icon of="back" /> {back.label}
          </a>
        ) : null}
        <h1>{title}</h1>
        {children}
        {copyButtons ? <p id="copied" className="quiet" role="status" /> : null}
      </main>
      <footer>
        <p>
          Questions? Write to <a href={`mailto:${supportMail}`}>{supportMail}</a>. <a href="/privacy">Privacy policy</a>
        </p>
        <p>{company}</p>
      </footer>
    </>,
    { copyButtons },
  )
}

/** What a page may do beyond showing text. */
export interface PagePowers {
  /** forms that post to this site */
  forms?: boolean
  /** images that are embedded in the page */
  images?: boolean
  /** the script of the copy buttons */
  copyButtons?: boolean
  /** allows shared caching; without it the page is not stored anywhere */
  maxAgeSeconds?: number
}

/** The security and caching headers of a page. */
export function layoutHeaders(powers: PagePowers = {}): Record<string, string> {
  const { forms = false, images = false, copyButtons = false, maxAgeSeconds } = powers
  return {
    'Cache-Control': maxAgeSeconds === undefined ? 'no-store' : `public, max-age=${maxAgeSeconds}`,
    'Content-Security-Policy': [
      "default-src 'none'",
      `style-src ${styleHash}`,
      ...(copyButtons ? [`script-src ${copyScriptHash}`] : []),
      // The favicon is an image of this site.
      `img-src 'self'${images ? ' data:' : ''}`,
      "base-uri 'none'",
      `form-action ${forms ? "'self'" : "'none'"}`,
      "frame-ancestors 'none'",
    ].join('; '),
    'Referrer-Policy': 'no-referrer',
  }
}
