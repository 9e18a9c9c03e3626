/** The frame of every page: no scripts, no requests to anybody else. */
import { createHash } from 'node:crypto'
import type { ReactNode } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.25rem 4rem }
h1, h2, h3 { line-height: 1.2 }
code, pre { font: 0.9em ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-bottom: 1px solid #8884 }
details { border: 1px solid #8886; border-radius: .4rem; margin: .5rem 0; padding: .4rem .8rem }
summary { cursor: pointer }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600 }
.quiet { opacity: .75 }
nav a { margin-right: 1rem }
`

/** For Content-Security-Policy `style-src`. */
export const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`

/** An HTML document. */
export function renderPage(title: string, content: ReactNode): string {
  const page = (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>{title}</title>
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: a constant; escaped, its hash would not match */}
        <style dangerouslySetInnerHTML={{ __html: style }} />
      </head>
      <body>{content}</body>
    </html>
  )
  return `<!doctype html>${renderToStaticMarkup(page)}`
}
