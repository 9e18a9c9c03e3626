/**
 * The only script of the pages: buttons that copy a code. Without it the buttons stay hidden, and a tap on a code
 * selects it. It is inline; its hash allows it and nothing else.
 */
import { createHash } from 'node:crypto'

/** Each button copies the text of the element whose id is in `data-copies`, and then says what is in `data-done`. */
export const copyScript = `
for (const button of document.querySelectorAll('button[data-copies]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const code = document.getElementById(button.dataset.copies)
    try {
      await navigator.clipboard.writeText(code.textContent)
      document.getElementById('copied').textContent = button.dataset.done
      button.textContent = button.dataset.done
    } catch {
      getSelection().selectAllChildren(code)
    }
  })
}
`

/** The source expression for `script-src` of Content-Security-Policy. */
export const copyScriptHash = `'sha256-${createHash('sha256').update(copyScript).digest('base64')}'`
