/** A policy's Markdown (CommonMark). HTML in it is text, and it fetches nothing: the text comes over the API. */
import markdownIt from 'markdown-it'

const renderer = markdownIt({ html: false }).disable('image')

// The page itself has the heading of level 1.
for (const rule of ['heading_open', 'heading_close'] as const) {
  renderer.renderer.rules[rule] = (tokens, index, options, _env, self) => {
    const [token] = tokens.slice(index, index + 1)
    if (token) token.tag = token.tag < 'h3' ? 'h2' : 'h3'
    return self.renderToken(tokens, index, options)
  }
}

// A block that is wider than the screen scrolls, also by the keyboard.
for (const rule of ['fence', 'code_block'] as const) {
  const render = renderer.renderer.rules[rule]
  renderer.renderer.rules[rule] = (...given) => (render?.(...given) ?? '').replace('<pre>', '<pre tabindex="0">')
}

// A wide table scrolls by the keyboard as well. Its head names its columns.
renderer.renderer.rules.table_open = (tokens, index, options, _env, self) =>
  `<div class="scroll" tabindex="0">${self.renderToken(tokens, index, options)}`
renderer.renderer.rules.table_close = (tokens, index, options, _env, self) =>
  `${self.renderToken(tokens, index, options)}</div>`
renderer.renderer.rules.th_open = (tokens, index, options, _env, self) => {
  const [token] = tokens.slice(index, index + 1)
  token?.attrSet('scope', 'col')
  return self.renderToken(tokens, index, options)
}

export function Markdown({ text }: { text: string }) {
  // biome-ignore lint/security/noDangerouslySetInnerHtml: markdown-it escapes what is not Markdown
  return <div dangerouslySetInnerHTML={{ __html: renderer.render(text) }} />
}
