import { renderPage } from '../document.tsx'
import { Markdown } from '../markdown.tsx'

/** @param text docs/quickstart.md */
export function renderQuickstart(text: string): string {
  const [heading = '', ...rest] = text.split('\n')
  const title = heading.replace(/^# /, '')
  return renderPage(
    `${title} · AMA eSIM API`,
    <main>
      <h1>{title}</h1>
      <Markdown text={rest.join('\n')} />
      <p>
        <a href="/docs">API documentation</a>
      </p>
    </main>,
  )
}
