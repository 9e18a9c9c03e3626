/** Finds messages of the English files on a page in another language. */
import type { Language } from '../../messages/languages.ts'
import { allMessages } from '../../messages/texts.ts'
import { flat, literalsOf } from './message-faults.ts'

const wordsOf = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
const literalsIn = (language: Language): string[] =>
  Object.values(flat(allMessages[language])).flatMap(literalsOf).map(wordsOf)

const english = [...new Set(literalsIn('en'))].filter((text) => /\p{L}{2}/u.test(text))

/**
 * The English texts on a page. A message of three words is found anywhere; a shorter one where it is all that an
 * element says, since other languages have words of the same letters.
 */
export function englishLeftIn(html: string, language: Language): string[] {
  const own = literalsIn(language)
  const foreign = english.filter((text) => !own.some((each) => each.includes(text)))
  const texts = textsOf(html)
  return foreign.filter((text) =>
    text.split(' ').length >= 3 ? texts.some((each) => contains(each, text)) : texts.includes(text),
  )
}

/** Whole words only. */
function contains(text: string, part: string): boolean {
  const at = text.indexOf(part)
  return at >= 0 && !/\p{L}/u.test(text[at - 1] ?? ' ') && !/\p{L}/u.test(text[at + part.length] ?? ' ')
}

/** The texts of a page, without the parts that are marked as English. */
function textsOf(html: string): string[] {
  const visible = html
    .replace(/^.*?<title>/s, '<title>')
    .replaceAll(/<(style|script)[^>]*>.*?<\/\1>/gs, '')
    .replaceAll(/<!--.*?-->/g, '')
    .replaceAll(/<(\w+)[^>]* lang="en"[^>]*>.*?<\/\1>/gs, '')
    .replaceAll(/<(\w+) lang="en"[^>]*>.*?<\/\1>/gs, '')
  const attributes = [...visible.matchAll(/ (?:alt|aria-label|title|placeholder|data-done)="([^"]*)"/g)]
  const inline = visible.replaceAll(/<\/?(?:a|strong|code|span|q|svg|path)\b[^>]*>/g, '\u0000')
  const blocks = inline.split(/<[^>]*>/)
  const parts = [
    ...blocks.flatMap((block) => block.split('\u0000')),
    ...blocks.map((block) => block.replaceAll('\u0000', '')),
  ]
  return [...new Set([...attributes.map(([, text = '']) => text), ...parts].map(decoded).map(wordsOf))].filter(Boolean)
}

/** As the messages are written: `unbroken` of messages/texts.ts puts other hyphens in. */
const decoded = (text: string): string =>
  text
    .replaceAll('\u2011', '-')
    .replaceAll('&#x27;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&gt;', '>')
    .replaceAll('&lt;', '<')
    .replaceAll('&amp;', '&')
