/** Somebody ended the connection between their Apple Account and us, at Apple. Import-safe for everybody. */

export const signInEndedType = 'signInEnded'
/** @param eventId Apple's, which is the same for copies of one notification */
export const signInEndedWorkflowId = (eventId: string): string => `sign-in-ended-${eventId}`

export interface SignInEndedInput {
  accountId: string
  /** names the mail in the send ledger */
  noticeId: string
  /** ISO 8601, when the person ended it: a link made later stays */
  endedAt: string
}

export interface SignInEndedActivities {
  /** Forgets the link and its token, and signs the person out; false when there is none from before. */
  unlinkApple(input: SignInEndedInput): Promise<boolean>
  /** @throws MailUnavailable */
  sendAppleUnlinked(input: SignInEndedInput & { asOf: string }): Promise<void>
}
