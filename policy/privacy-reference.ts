/** What a privacy request is called in mails: short enough for a subject line, and says nothing. */
export const privacyReference = (requestId: string): string => `PR-${requestId.slice(0, 8).toUpperCase()}`
