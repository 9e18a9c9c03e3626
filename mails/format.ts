/** Amounts, data, days and places in English: for operators and banks. Persons have `Texts`. */
import { textsOf } from '../messages/texts.ts'

const texts = textsOf('en')

export const { money, day, moment, dataAmount, place: placeName } = texts

export const days = (count: number): string => texts.validity(count)
