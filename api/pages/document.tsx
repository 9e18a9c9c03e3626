/** The frame of every page: it needs no script and asks no other host. */
import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { colours, darkColours } from '../../mails/style.ts'
import type { Language } from '../../messages/languages.ts'
import { copyScript } from './copy-script.ts'
import { style } from './style.ts'

interface DocumentOptions {
  /** the page has copy buttons; its headers must allow their script */
  copyButtons?: boolean
  /** default: English */
  language?: Language
  /** the page to which the browser goes on at once */
  next?: string | undefined
}

/** Renders an HTML document. */
export function renderPage(
  title: string,
  content: ReactNode,
  { copyButtons = false, language = 'en', next }: DocumentOptions = {},
): string {
  const page = (
    <html lang={language}>
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="theme-color" content={colours.page} media="(prefers-color-scheme: light)" />
        <meta name="theme-color" content={darkColours.page} media="(prefers-color-scheme: dark)" />
        <title>{title}</title>
        {next === undefined ? null : <meta httpEquiv="refresh" content={`0; url=${next}`} />}
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant; escaped, its hash would not match */}
        <style dangerouslySetInnerHTML={{ __html: style }} />
      </head>
      <body>
        {content}
        {copyButtons ? (
          // biome-ignore lint/security/noDangerouslySetInnerHtml: a constant; escaped, its hash would not match
          <script dangerouslySetInnerHTML={{ __html: copyScript }} />
        ) : null}
      </body>
    </html>
  )
  return `<!doctype html>${renderToStaticMarkup(page)}`
}
