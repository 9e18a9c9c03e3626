/**
 * The meanings of Google's codes for sign-ins, security events and service accounts. Those of Firebase are in
 * firebase.ts.
 *
 * Sources: developers.google.com/identity/protocols/oauth2/web-server (revoking a token),
 * developers.google.com/identity/protocols/oauth2/service-account, RFC 6749 (section 5.2), RFC 7009 (section 2.2.1) and
 * RFC 7523 (section 3.1) for the errors; developers.google.com/identity/protocols/risc for the events.
 */
import { type CodeMeaning, tableOf, type ValueMeaning } from './meaning.ts'

const byOperator = 'is erased here; an operator ends the sign-in at Google'
const waits = 'waits: pushes and deletions go on when it has passed'

/** The field `error` of a refused revocation. */
export const googleRevocationCodes = tableOf({
  invalid_token: {
    kind: 'rejected',
    says: 'The token is unknown, has expired or was revoked',
    acts: 'nobody',
    customer: 'the sign-in has ended already',
  },
  invalid_request: { kind: 'rejected', says: 'The request is malformed', acts: 'developers', customer: byOperator },
  unsupported_token_type: {
    kind: 'rejected',
    says: 'Tokens of this kind are not revoked',
    acts: 'developers',
    customer: byOperator,
  },
})

const operators = (says: string, code?: string) =>
  ({
    kind: 'misconfigured',
    says,
    acts: 'operator',
    customer: waits,
    ...(code && { code }),
  }) satisfies Partial<CodeMeaning>

/** The field `error` when the service account gets no access token. */
export const serviceAccountCodes = tableOf({
  invalid_client: operators('The service account is not known'),
  invalid_grant: operators(
    'The key was deleted or is another account’s, the account is disabled, or our clock is wrong',
    'service_account_refused',
  ),
  invalid_request: operators('The request is malformed'),
  invalid_scope: operators('The requested scope is empty or invalid'),
  unauthorized_client: operators('The account may not get tokens in this way'),
  unsupported_grant_type: operators('The server does not support the grant type'),
})

const event = (says: string, customer: string, acts: ValueMeaning['acts'] = 'nobody'): ValueMeaning & SignInEvent => ({
  says,
  lasts: 'final',
  acts,
  customer,
})

interface SignInEvent {
  /** an attacker may have used the Google account, and its mailbox with our sign-in links */
  endsSignIns?: true
  /**
   * somebody else may have read the mailbox: Google has secured the account. Who revokes our token has only left us,
   * and their mailbox is theirs.
   */
  mailboxRead?: true
}

const signsInAgain = 'is signed out everywhere, and signs in again'

/** The last part of each event type's URI. Another event is recorded, and nothing follows from it. */
export const googleEvents: Readonly<Record<string, ValueMeaning & SignInEvent>> = {
  'account-credential-change-required': event('Google has asked for a new password', 'nothing'),
  'account-disabled': {
    ...event('Google has disabled the account', `${signsInAgain}; gets no promotions`, 'operator'),
    endsSignIns: true,
    mailboxRead: true,
  },
  'account-enabled': event('Google has enabled the account again', 'nothing; the operator task ends'),
  'sessions-revoked': {
    ...event('The sessions at Google were ended', signsInAgain),
    endsSignIns: true,
    mailboxRead: true,
  },
  'token-revoked': { ...event('A token was revoked', signsInAgain), endsSignIns: true },
  'tokens-revoked': { ...event('All tokens were revoked', signsInAgain), endsSignIns: true },
  verification: event('Google tests our address for events', 'nothing'),
}
