/** The texts for people, in one language: messages with their arguments, and dates, amounts and places beside them. */
import type { GetICUArgs } from '@schummar/icu-type-parser'
import { IntlMessageFormat } from 'intl-messageformat'
import { createElement, Fragment, type ReactNode } from 'react'
import type { ValidityStart } from '../providers/esim.ts'
import { de } from './de/index.ts'
import { en } from './en/index.ts'
import { createFormat, type Format } from './format.ts'
import { type Language, locales } from './languages.ts'
import { sq } from './sq/index.ts'

type English = typeof en
type Area = keyof English & string

/** All messages of a language, by area and name. */
export type Messages = { readonly [A in Area]: { readonly [Name in keyof English[A]]: string } }

/** `area.name` */
export type MessageKey = { [A in Area]: `${A}.${keyof English[A] & string}` }[Area]

type TextOf<Key extends MessageKey> = Key extends `${infer A extends Area}.${infer Name}`
  ? Name extends keyof English[A]
    ? English[A][Name] & string
    : never
  : never

type Arguments<Text extends string> = GetICUArgs<Text, { ICUArgument: string; ICUNumberArgument: number }>
type Tags<Text extends string> = Text extends `${string}</${infer Tag}>${infer Rest}` ? Tag | Tags<Rest> : never

/** Messages without tags. */
export type PlainKey = { [Key in MessageKey]: [Tags<TextOf<Key>>] extends [never] ? Key : never }[MessageKey]

/** No argument of a message can be forgotten, and none can be given that it does not have. */
type Given<Args> = keyof Args extends never ? [] : [args: Args]
type RichArguments<Text extends string> = { [Name in keyof Arguments<Text>]: Arguments<Text>[Name] | ReactNode } & {
  [Tag in Tags<Text>]: (content: ReactNode) => ReactNode
}

export interface Texts extends Omit<Format, 'number' | 'region'> {
  language: Language
  t<Key extends PlainKey>(key: Key, ...args: Given<Arguments<TextOf<Key>>>): string
  /** A message with tags, each of which becomes an element, or with elements as arguments. */
  rich<Key extends MessageKey>(key: Key, args: RichArguments<TextOf<Key>>): ReactNode
  /** An amount of data in the units in which both providers sell packages: 1 GB is 1,024 MB, or 2^30 bytes. */
  dataAmount(bytes: number | null): string
  /** How long a package is valid, and from when on; null: the provider does not say; undefined: nothing is said. */
  validity(days: number, starts?: ValidityStart | null): string
  place(destination: string): string
}

/** @param messages other than those of the language, for tests */
export function createTexts(language: Language, messages: Messages): Texts {
  const areas = new Map<string, Readonly<Record<string, string>>>(Object.entries(messages))
  const compiled = new Map<string, IntlMessageFormat>()
  const { number, region, ...format } = createFormat(language)

  function messageOf(key: MessageKey): IntlMessageFormat {
    const known = compiled.get(key)
    if (known) return known
    const dot = key.indexOf('.')
    const text = areas.get(key.slice(0, dot))?.[key.slice(dot + 1)]
    if (text === undefined) throw new Error(`no message ${key}`)
    const message = new IntlMessageFormat(unbroken(text), locales[language])
    compiled.set(key, message)
    return message
  }

  /** No line ends between a number and its unit. */
  const withUnit = (value: number, unit: string): string => `${number(value)}\u00a0${unit}`

  const t: Texts['t'] = (key, ...[args]) => String(messageOf(key).format(args as Record<string, string | number>))

  return {
    ...format,
    language,
    t,
    rich(key, args) {
      const parts = messageOf(key).format<ReactNode>(args as Record<string, string>)
      return createElement(Fragment, null, ...(Array.isArray(parts) ? parts : [parts]))
    },
    dataAmount(bytes) {
      if (bytes === null) return t('common.unlimited')
      if (bytes >= gigabyte) return withUnit(bytes / gigabyte, 'GB')
      return bytes > 0 && bytes < megabyte
        ? t('common.lessThan', { amount: withUnit(1, 'MB') })
        : withUnit(bytes / megabyte, 'MB')
    },
    validity(days, starts) {
      const from = starts === undefined ? 'days' : (starts ?? 'unknown')
      return t(`common.valid.${from}`, { days })
    },
    place(destination) {
      if (destination === 'Global') return t('common.global')
      // activities/order/payment/payment.ts stores this text for a package of several countries.
      const [, count] = /^(\d{1,4}) countries$/.exec(destination) ?? []
      return count === undefined ? region(destination) : t('common.countries', { count: Number(count) })
    },
  }
}

/**
 * With a hyphen at which no line ends after a word's first letter: the button said "E-" and, on its next line, "Mail".
 * Nor between an abbreviation and its ending: "eSIM-" and "in".
 */
const unbroken = (text: string): string =>
  text
    .replaceAll(/(?<![\p{L}\p{N}])(\p{L})-(?=\p{L})/gu, '$1\u2011')
    .replaceAll(/(?<=\p{Lu})-(?=\p{Ll}{1,3}(?!\p{L}))/gu, '\u2011')

const megabyte = 1024 ** 2
const gigabyte = 1024 ** 3

export const allMessages: Readonly<Record<Language, Messages>> = { en, de, sq }

const made: Readonly<Record<Language, Texts>> = {
  en: createTexts('en', en),
  de: createTexts('de', de),
  sq: createTexts('sq', sq),
}

/** The texts of a language, with its formats of dates and amounts. */
export const textsOf = (language: Language): Texts => made[language]
