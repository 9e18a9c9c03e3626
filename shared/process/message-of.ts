/** A line about an error, for the person who has typed a command. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
