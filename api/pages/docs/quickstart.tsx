import { Markdown } from '../markdown.tsx'
import { renderDocsPage } from './frame.tsx'

/** @param text docs/quickstart.md */
export function renderQuickstart(text: string): string {
  const [heading = '', ...rest] = text.split('\n')
  const title = heading.replace(/^# /, '')
  return renderDocsPage(title, <Markdown text={rest.join('\n')} />, '/docs/quickstart')
}
