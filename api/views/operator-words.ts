/** What operators write, notes and reasons without personal data, and what became of their acts. */
import { z } from 'zod'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { enumeration } from './enumeration.ts'

const stripeIds = 'acct ch cs cus du dp evt fee in issfr pi pm po prv py pyr re req seti src tok tr trr txn'.split(' ')
export const ourIds = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi

function isStripeId(word: string): boolean {
  const [kind = '', ...rest] = word.toLowerCase().split('_')
  const [id = '', mode = 'live', ...others] = rest.toReversed()
  // Digits alone behind such a beginning are a number.
  const isOne = id.length >= 10 && /[a-z]/.test(id)
  return isOne && stripeIds.includes(kind) && ['live', 'test'].includes(mode) && others.length === 0
}

/**
 * A text with others in place of its ids: those of ours, which hold seven digits in a row by chance, and those of
 * Stripe. The database has the same exception, and refuses what is written in the plainest way:
 * db/migrations/0760-ids-in-notes.sql.
 */
export const replaceIds = (text: string, replacement: (id: string) => string): string =>
  text.replaceAll(ourIds, replacement).replaceAll(/\w+/g, (word) => (isStripeId(word) ? replacement(word) : word))

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
    (text) => !/@/.test(plain(text)) && !longNumber.test(plain(replaceIds(text, () => ' id '))),
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
