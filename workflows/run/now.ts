/** In a workflow this is the workflow's own time, the only clock that decides. */
export const now = (): Date => new Date()

/** What every activity is told of it. */
export const clock = (): { asOf: string } => ({ asOf: now().toISOString() })
