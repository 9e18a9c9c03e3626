/**
 * A text with another first character, for a token, key or signature that must be refused. A changed last character of
 * base64 may decode to the same bytes.
 */
export function altered(text: string): string {
  const first = text[0] ?? ''
  return `${first.toLowerCase() === 'a' ? 'b' : 'a'}${text.slice(1)}`
}
