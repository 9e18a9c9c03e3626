/** Texts that operators write: notes and reasons, without personal data. */
import { z } from 'zod'

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
