/** Renders the parts of Markdown that a policy needs: headings, lists and paragraphs. Everything else is text. */
import type { ReactNode } from 'react'

export function Markdown({ text }: { text: string }) {
  const blocks = text
    .replaceAll('\r\n', '\n')
    // In Markdown a heading ends with its line, without an empty one.
    .replaceAll(/^#{1,4} .*\n/gm, '$&\n')
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter(Boolean)
  return <>{blocks.map((block, index) => renderBlock(block, index))}</>
}

function renderBlock(block: string, key: number): ReactNode {
  const [, marks = '', heading = ''] = /^(#{1,4}) +(.*)$/s.exec(block) ?? []
  // The page itself has the heading of level 1.
  if (marks.length > 2) return <h3 key={key}>{heading}</h3>
  if (marks) return <h2 key={key}>{heading}</h2>
  if (!/^[-*] /.test(block)) return <p key={key}>{block}</p>
  const items = block.split(/\n(?=[-*] )/).map((item) => item.slice(2))
  return (
    <ul key={key}>
      {items.map((item) => (
        <li key={item}>{item}</li>
      ))}
    </ul>
  )
}
