/** The workflow's time: the SDK replaces `Date` in workflows. */
export const now = (): Date => new Date()

/** The workflow's time as activities take it: they decide by it and not by the time of their machine. */
export const clock = (): { asOf: string } => ({ asOf: now().toISOString() })
