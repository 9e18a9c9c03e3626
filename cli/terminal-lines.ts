/** Lines for terminals of any width. */
import { stripVTControlCharacters } from 'node:util'
import { writtenOut } from '../shared/text/one-line.ts'

/** of a pipe, which has no width */
const usual = 80
const nameWidth = 20

const widthOf = (text: string): number => stripVTControlCharacters(text).length

/**
 * A name and its value on one line, or the value on a line of its own where the terminal is narrower. An address or a
 * key is never cut, so that it can be opened or copied.
 */
export function labelled(
  name: string,
  value: string,
  { indent, columns = usual }: { indent: number; columns?: number | undefined },
): string[] {
  const line = `${' '.repeat(indent)}${name.padEnd(nameWidth)} ${value}`
  return widthOf(line) <= columns ? [line] : [`${' '.repeat(Math.min(indent, 2))}${name}`, value]
}

/** A text in lines that fit, at spaces; the lines after the first are indented as much as its text. */
export function wrapped(head: string, text: string, columns = usual): string[] {
  const indent = widthOf(head) < columns / 2 ? widthOf(head) : 2
  const lines: string[] = []
  let line = head
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > columns) {
      lines.push(line)
      line = ' '.repeat(indent)
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}

/** The part of a line that fits: a line that is overwritten must not wrap. */
export const cut = (text: string, columns = usual): string =>
  text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`

/**
 * A text that somebody else may have written: what would steer the terminal, end the line or reorder what stands beside
 * it is written out. JSON stays JSON.
 */
export const printable = writtenOut

type Json = Record<string, unknown>

/** Names and values, one a line; lists indented. The lines of a text begin with a bar, so that none passes for a name. */
export function linesOf(answer: Json, indent = ''): string[] {
  return Object.entries(answer).flatMap(([name, value]) => {
    const head = `${indent}${printable(name)}:`
    if (Array.isArray(value)) {
      const items = value.map(
        (item) => `${indent}  ${typeof item === 'object' ? compact({ ...item }) : printable(String(item))}`,
      )
      return [`${head}${value.length === 0 ? ' none' : ''}`, ...items]
    }
    if (typeof value === 'object' && value !== null) return [head, ...linesOf({ ...value }, `${indent}  `)]
    if (value === null) return []
    const [first = '', ...more] = String(value).split(/\r?\n/)
    if (more.length === 0) return [`${head} ${printable(first)}`]
    return [head, ...[first, ...more].map((line) => `${indent}  | ${printable(line)}`)]
  })
}

const compact = (item: Json): string =>
  Object.values(item)
    .filter((value) => value !== null && typeof value !== 'object')
    .map((value) => printable(String(value)))
    .join('  ')
