/** Amounts, data, days and places in English: for operators and banks. Persons have `Texts`. */
import { textsOf } from '../messages/texts.ts'
import type { ValidityStart } from '../providers/esim.ts'

export type { Money } from '../messages/format.ts'

const texts = textsOf('en')

export const { money, day, moment, dataAmount, place: placeName } = texts

export const days = (count: number): string => texts.validity(count)

/** When the days of a package begin, as half a sentence; null: the provider does not say. */
export const validityStart = (starts: ValidityStart | null): string =>
  starts === 'installation'
    ? 'from its installation on a phone'
    : starts === 'first_use'
      ? 'from its first connection to a network at your destination'
      : 'from the start that the network sets'
