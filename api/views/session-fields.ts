import { z } from 'zod'

/** Which of the other sessions a form ends; without one all of them. */
export const sessionToEnd = z.strictObject({
  session: z
    .string()
    .regex(/^[\w-]{43}$/, 'must be the id of a session')
    .optional(),
})
