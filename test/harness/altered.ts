/**
 * Another text than the given one by one character: for a token, key or signature that must be refused. It is always the
 * first character: bits of a last base64 character may mean nothing.
 */
export function altered(text: string): string {
  const first = text[0] ?? ''
  return `${first.toLowerCase() === 'a' ? 'b' : 'a'}${text.slice(1)}`
}
