/** The reference of a privacy request in mails: fits into a subject line and holds no personal data. */
export const privacyReference = (requestId: string): string => `PR-${requestId.slice(0, 8).toUpperCase()}`
