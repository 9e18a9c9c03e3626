/** What operators write, notes and reasons without personal data, and what became of their acts. */
import { z } from 'zod'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { enumeration } from './enumeration.ts'

/**
 * Ids of ours, which hold seven digits in a row by chance, and those of Stripe. The database has the same exception,
 * and refuses what is written in the plainest way: db/migrations/0760-ids-in-notes.sql.
 */
export const idsInWords = new RegExp(
  '\\b([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}' +
    '|(acct|ch|cs|cus|du|dp|evt|fee|in|issfr|pi|pm|po|prv|py|pyr|re|req|seti|src|tok|trr?|txn)' +
    '_((test|live)_)?(?=[0-9]*[a-z])[0-9a-z]{10,})\\b',
  'gi',
)

/** A number of seven digits, also in groups, as people write phone numbers and ICCIDs; and after a plus in any way. */
const longNumber = /\d(?: ?\d){6}|\+\d(?:[ ()./-]{0,3}\d){6}/

/** Digits and signs have several forms, and spaces many. */
const plain = (text: string): string => text.normalize('NFKC').replaceAll(/\s+/g, ' ')

/** The note is stored in the clear: addresses, phone numbers and ICCIDs are refused. */
export const taskNote = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine(
    (text) => !/@/.test(plain(text)) && !longNumber.test(plain(text.replaceAll(idsInWords, ' id '))),
    'must not hold an address or a long number: no personal data',
  )

const why = taskNote.min(3).optional().describe('for operators: why, for the record; without personal data')

/** One of the fields of an act that asks for more: why an operator does it. */
export const whyField = { reason: why }

/** The same for an act whose `reason` is one of a list, for somebody else than operators. */
export const whyNote = { note: why }

/** Why an operator does something, where the act does not ask for more. */
export const actReason = z.strictObject(whyField).meta({ id: 'ActReason' })

export const actOutcome = enumeration('OperatorActOutcome', 'What became of what an operator has asked for', {
  asked: 'Whether it was done is not known',
  done: 'Done',
  refused: 'Not done; `code` says why',
} satisfies Record<Exclude<OperatorActs['state'], 'planned'>, string>)

/**
 * Only the acts of a bulk action on its orders are planned, which are not shown one by one: the database lets no other
 * be that.
 */
export const outcomeOfAct = (state: OperatorActs['state']): Exclude<OperatorActs['state'], 'planned'> =>
  state === 'planned' ? 'asked' : state
