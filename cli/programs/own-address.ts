/** Files that find others beside them do so from where they were, also when they are built into another file. */
import { fileURLToPath } from 'node:url'

/** In parts, since this file is built as well. */
const ownAddress = ['import', 'meta', 'url'].join('.')
const ownPath = /\b__(?:dirname|filename)\b/
const declaresOwnPath = /\b(?:const|let|var)\s+__(?:dirname|filename)\b/

/** The text of a source with its address in the place of the one that a built file would have as its own. */
export const withoutOwnAddress = (text: string, address: URL): string =>
  text.replaceAll(ownAddress, JSON.stringify(address.href))

/** The same for a file of a package, which may be a CommonJS module. */
export function withoutOwnPath(text: string, address: URL): string {
  const replaced = withoutOwnAddress(text, address)
  if (!ownPath.test(text) || declaresOwnPath.test(text)) return replaced
  const file = fileURLToPath(address)
  const folder = fileURLToPath(new URL('.', address)).replace(/[\\/]$/, '')
  // On the first line, so that the others keep their numbers.
  return `var __filename = ${JSON.stringify(file)}, __dirname = ${JSON.stringify(folder)}; ${replaced}`
}
