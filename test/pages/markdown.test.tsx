/** A policy's text comes over the API: it is Markdown, and neither HTML nor a request to another host. */
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { Markdown } from '../../api/pages/markdown.tsx'

const shown = (text: string): string => renderToStaticMarkup(<Markdown text={text} />)

test.each([
  ['headings below the one of the page', '# One\nText\n### Three', '<h2>One</h2>\n<p>Text</p>\n<h3>Three</h3>'],
  ['a list with a line that goes on', '- one\n  line\n- two', '<ul>\n<li>one\nline</li>\n<li>two</li>\n</ul>'],
  ['two equal items', '- same\n- same', '<ul>\n<li>same</li>\n<li>same</li>\n</ul>'],
  ['emphasis', '**Never** sold', '<p><strong>Never</strong> sold</p>'],
  ['links', '[us](https://example.com)', '<p><a href="https://example.com">us</a></p>'],
  ['HTML as text', '<script>x</script> & <b>', '<p>&lt;script&gt;x&lt;/script&gt; &amp; &lt;b&gt;</p>'],
  ['no link that runs a script', '[us](javascript:alert(1))', '<p>[us](javascript:alert(1))</p>'],
  ['no picture', '![us](https://example.com/p.png)', '<p>!<a href="https://example.com/p.png">us</a></p>'],
])('Markdown of a policy: %s', (_name, text, html) => {
  expect(shown(text)).toBe(`<div>${html}\n</div>`)
})
