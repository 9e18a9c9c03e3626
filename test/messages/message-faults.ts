/** Finds faults in a set of messages. */
import { type MessageFormatElement, parse, TYPE } from '@formatjs/icu-messageformat-parser'

/** `area.name` → ICU message */
export type Flat = Readonly<Record<string, string>>

export const flat = (messages: Readonly<Record<string, Readonly<Record<string, string>>>>): Flat =>
  Object.fromEntries(
    Object.entries(messages).flatMap(([area, texts]) =>
      Object.entries(texts).map(([name, text]) => [`${area}.${name}`, text]),
    ),
  )

/** @param languages the messages of each; the first is the one that the others translate */
export function faultsOf(languages: Readonly<Record<string, Flat>>): string[] {
  const [[original, ofOriginal] = ['', {}], ...others] = Object.entries(languages)
  const unreadable = Object.entries(languages).flatMap(([language, messages]) =>
    Object.entries(messages).flatMap(([key, text]) =>
      shapeOf(text) === undefined ? [`${language} ${key}: no ICU message`] : [],
    ),
  )
  if (unreadable.length > 0) return unreadable
  return others.flatMap(([language, messages]) => [
    ...Object.keys(ofOriginal).flatMap((key) => (key in messages ? [] : [`${language} ${key}: missing`])),
    ...Object.entries(messages).flatMap(([key, text]) => {
      const of = ofOriginal[key]
      if (of === undefined) return [`${language} ${key}: surplus`]
      const [wanted, given] = [String(shapeOf(of)), String(shapeOf(text))]
      return [
        ...(text.trim() === '' ? [`${language} ${key}: empty`] : []),
        ...(given === wanted
          ? []
          : [`${language} ${key}: has ${given || 'no arguments'}, and ${original} ${wanted || 'none'}`]),
      ]
    }),
  ])
}

/** The arguments and tags of a message with their kinds, sorted; undefined when it cannot be parsed. */
function shapeOf(text: string): string | undefined {
  try {
    return [...new Set(argumentsOf(parse(text)))].sort().join(', ')
  } catch {
    return undefined
  }
}

function argumentsOf(elements: readonly MessageFormatElement[]): string[] {
  return elements.flatMap((element) => {
    if (element.type === TYPE.literal || element.type === TYPE.pound) return []
    const own = `${element.value} (${TYPE[element.type]})`
    if (element.type === TYPE.tag) return [own, ...argumentsOf(element.children)]
    if (element.type !== TYPE.plural && element.type !== TYPE.select) return [own]
    return [own, ...Object.values(element.options).flatMap(({ value }) => argumentsOf(value))]
  })
}

/** Every literal text of a message, without arguments and tags. */
export function literalsOf(text: string): string[] {
  const of = (elements: readonly MessageFormatElement[]): string[] =>
    elements.flatMap((element) => {
      if (element.type === TYPE.literal) return [element.value]
      if (element.type === TYPE.tag) return of(element.children)
      if (element.type !== TYPE.plural && element.type !== TYPE.select) return []
      return Object.values(element.options).flatMap(({ value }) => of(value))
    })
  return of(parse(text))
}

/**
 * The keys that no source names. A key that is put together, as `mail.cause.${cause}`, names all that fit.
 * @param areas the first part of each key
 */
export function unusedKeys(keys: readonly string[], areas: readonly string[], sources: readonly string[]): string[] {
  const named = new Set<string>()
  const patterns = new Set<string>()
  const start = new RegExp(`(['\`])((?:${areas.join('|')})\\.[^'\`\\n]*)\\1`, 'g')
  for (const source of sources) {
    for (const [, quote, text = ''] of source.matchAll(start)) {
      if (quote === "'" || !text.includes('${')) named.add(text)
      else patterns.add(text)
    }
  }
  const fitting = [...patterns].map((pattern) => pattern.split(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/))
  return keys.filter((key) => !named.has(key) && !fitting.some((pieces) => fits(key, pieces)))
}

/** Whether a key has the pieces in this order, from its start to its end, and a name without a dot between them. */
function fits(key: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces
  if (!key.startsWith(first)) return false
  let left = key.slice(first.length)
  for (const [index, piece] of rest.entries()) {
    const at = index === rest.length - 1 ? left.length - piece.length : left.indexOf(piece || '.', 1)
    if (at < 1 || left.slice(0, at).includes('.') || !left.slice(at).startsWith(piece)) return false
    left = left.slice(at + piece.length)
  }
  return left === ''
}
