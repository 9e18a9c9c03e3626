/** Amounts, data, days and places in English: for operators and banks. Persons have `Texts`. */
import { textsOf } from '../messages/texts.ts'

const texts = textsOf('en')

export const { money, day, moment, place: placeName } = texts

/** With the spaces of plain text, since banks print it by programs that we do not know. */
export const dataAmount = (bytes: number | null): string => texts.dataAmount(bytes).replaceAll('\u00a0', ' ')

export const days = (count: number): string => texts.validity(count)
