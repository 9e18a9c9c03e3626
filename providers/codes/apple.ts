/**
 * The meanings of Apple's codes.
 *
 * Sources: developer.apple.com/documentation/signinwithapplerestapi/errorresponse, Technote TN3107, and
 * developer.apple.com/documentation/signinwithapple/processing-changes-for-sign-in-with-apple-accounts.
 */
import { type CodeMeaning, tableOf, type ValueMeaning } from './meaning.ts'

const waits = 'cannot sign in with Apple meanwhile; a revocation goes on when it has passed'
const byHand = 'is asked to remove the app at Apple by hand; a sign-in is refused'

const operators = (says: string) =>
  ({ kind: 'misconfigured', says, acts: 'operator', customer: waits }) satisfies Partial<CodeMeaning>
const ours = (says: string) =>
  ({ kind: 'rejected', says, acts: 'developers', customer: byHand }) satisfies Partial<CodeMeaning>

/** The field `error` of a refusal of `/auth/token` and `/auth/revoke`. */
export const appleCodes = tableOf({
  invalid_client: operators('Client id, client secret or redirect URI are wrong or have expired'),
  invalid_grant: {
    kind: 'rejected',
    says: 'The code or the refresh token is invalid, used or expired, or of another client',
    acts: 'nobody',
    customer: 'signs in again; a revocation is done, since the token is invalid already',
  },
  invalid_request: ours('The request is malformed'),
  invalid_scope: ours('The requested scope is invalid'),
  unauthorized_client: operators('The client may not use this grant type'),
  unsupported_grant_type: ours('The client is not authorised to use this grant type'),
})

const event = (says: string, customer: string): ValueMeaning => ({ says, lasts: 'final', acts: 'nobody', customer })

/** The types of notifications. One in no table is refused, and Apple's own records show it. */
export const appleEvents = {
  'account-deleted': event('The Apple Account was deleted', 'the account here is deleted as well'),
  'consent-revoked': event(
    'The person has removed the app at Apple',
    'the link with Apple ends, and with it the sign-ins; is notified by mail how to sign in from now on',
  ),
  'email-disabled': event(
    'The relay address was switched off',
    'gets no mails there, and is asked for another address',
  ),
  'email-enabled': event('The relay address was switched on', 'gets mails there again'),
} as const satisfies Record<string, ValueMeaning>

/** Older documentation spells it so. */
export const olderAppleEvents: Readonly<Record<string, keyof typeof appleEvents>> = {
  'account-delete': 'account-deleted',
}
