/** What operators write, notes and reasons without personal data, and what became of their acts. */
import { z } from 'zod'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { enumeration } from './enumeration.ts'

/** The note is stored in the clear: addresses, phone numbers and ICCIDs are refused. */
export const taskNote = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine((text) => !/@|\d{7}/.test(text), 'must not hold an address or a long number: no personal data')

/** Why an operator's program does something, where the act does not ask for more. */
export const actReason = z.strictObject({ reason: taskNote.min(3).optional() }).meta({ id: 'ActReason' })

/** The same as one of the fields of an act that asks for more. */
export const whyField = { reason: taskNote.min(3).optional().describe('why, for the record; without personal data') }

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
