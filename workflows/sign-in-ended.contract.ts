/**
 * Contract of the end of a sign-in with Apple, which the person ended at Apple. Code outside of workflows may import
 * it.
 */

export const signInEndedType = 'signInEnded'
/** @param eventId Apple's id of the notification, the same for repeated notifications */
export const signInEndedWorkflowId = (eventId: string): string => `sign-in-ended-${eventId}`

export interface SignInEndedInput {
  accountId: string
  /** names the mail in the send ledger */
  noticeId: string
  /** ISO 8601, when the person ended the sign-in; a link made later stays */
  endedAt: string
}

export interface SignInEndedActivities {
  /**
   * Ends the sign-ins from before `endedAt`, and deletes a link from before, with its token. Returns false when there is
   * none.
   */
  unlinkApple(input: SignInEndedInput): Promise<boolean>
  /** @throws MailUnavailable */
  sendAppleUnlinked(input: SignInEndedInput & { asOf: string }): Promise<void>
}
