/**
 * The meanings of the codes of Firebase Cloud Messaging and of Identity Toolkit (Firebase Authentication).
 *
 * Sources: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode,
 * firebase.google.com/docs/cloud-messaging/error-codes, and the tables of firebase-admin 13.10 (lib/utils/error.js:
 * `MESSAGING_SERVER_TO_CLIENT_CODE`, `AUTH_SERVER_TO_CLIENT_CODE`).
 */
import { type CodeMeaning, tableOf } from './meaning.ts'

const laterPush = 'gets the push when it has passed; the app and the mail say the same'
const noPush = 'gets no push; the app and the mail say the same'

type Entry = Omit<CodeMeaning, 'code'> & { code?: string }

const passes = (says: string, code: string, kind: CodeMeaning['kind'] = 'unavailable'): Entry => ({
  kind,
  code,
  says,
  acts: 'nobody',
  customer: laterPush,
})
const operators = (says: string, code?: string): Entry => ({
  kind: 'misconfigured',
  says,
  acts: 'operator',
  customer: laterPush,
  ...(code !== undefined && { code }),
})
const ours = (says: string, code: string): Entry => ({
  kind: 'rejected',
  code,
  says,
  acts: 'developers',
  customer: noPush,
})
const dead = (says: string): Entry => ({
  kind: 'rejected',
  says,
  acts: 'nobody',
  customer: 'gets no push on that phone until the app registers it again; the token is deleted',
})

/** firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, QUOTA_EXCEEDED: "a minimum initial delay of 1 minute" */
export const quotaWaitMs = 60_000

/**
 * By the `errorCode` of an FcmError. `DeadToken` names the three that say something about the token itself; the SDK
 * takes others for them as well, so that a second request confirms it.
 */
export const fcmCodes = tableOf({
  INTERNAL: passes('An error of the server', 'http_500', 'unknown_outcome'),
  INVALID_ARGUMENT: ours(
    'A parameter is invalid; of the token alone it means that the token is none',
    'invalid_argument',
  ),
  QUOTA_EXCEEDED: {
    ...passes('Too many messages: repeat them after a minute at the earliest', 'quota_exceeded'),
    waitMs: quotaWaitMs,
  },
  SENDER_ID_MISMATCH: dead('The token is of another Firebase project'),
  THIRD_PARTY_AUTH_ERROR: operators(
    'The APNs certificate or web push key is wrong or missing',
    'third_party_auth_error',
  ),
  UNAVAILABLE: passes('The server is overloaded', 'http_503'),
  UNREGISTERED: dead('The app was uninstalled, or the token has expired'),
  UNSPECIFIED_ERROR: { ...operators('Nothing more is known'), kind: 'unknown_outcome' },
})

/** Names of the retired API, and older ones, which the SDK still knows. */
export const legacyFcmCodes = tableOf({
  APNS_AUTH_ERROR: operators('The APNs certificate is wrong or missing', 'third_party_auth_error'),
  DeviceMessageRateExceeded: passes('Too many messages to this phone', 'device_rate_exceeded'),
  InternalServerError: passes('An error of the server', 'http_500', 'unknown_outcome'),
  InvalidApnsCredential: operators('The APNs certificate is wrong or missing', 'third_party_auth_error'),
  InvalidRegistration: dead('The token is none'),
  MessageTooBig: ours('The message is too long', 'payload_too_large'),
  NotRegistered: dead('The app was uninstalled'),
  Unavailable: passes('The server is overloaded', 'http_503'),
})

const ofToken = 'messaging/registration-token-not-registered'

/** The SDK's code of each, which it makes of the reply: several of FCM's become one. */
export const sdkMessagingCodes: Readonly<Record<string, CodeMeaning | 'confirm' | 'foreign'>> = {
  [ofToken]: 'confirm',
  'messaging/invalid-registration-token': 'confirm',
  'messaging/invalid-argument': 'confirm',
  'messaging/mismatched-credential': 'confirm',
  'messaging/message-rate-exceeded': listed(fcmCodes.QUOTA_EXCEEDED),
  'messaging/device-message-rate-exceeded': listed(legacyFcmCodes.DeviceMessageRateExceeded),
  'messaging/server-unavailable': listed(fcmCodes.UNAVAILABLE),
  'messaging/third-party-auth-error': listed(fcmCodes.THIRD_PARTY_AUTH_ERROR),
  // A reply that is no JSON, with 401 or 403.
  'messaging/authentication-error': 'foreign',
  'messaging/payload-size-limit-exceeded': listed(legacyFcmCodes.MessageTooBig),
  'messaging/internal-error': listed(fcmCodes.INTERNAL),
}

function listed(meaning: CodeMeaning | undefined): CodeMeaning {
  if (!meaning) throw new Error('not in the table')
  return meaning
}

const erased = 'is erased here; the receipt shows the step as open'
const project = (says: string): Entry => ({ kind: 'misconfigured', says, acts: 'operator', customer: erased })

/** The `message` of a refusal by accounts:delete and accounts:update, without the reason that Google appends to some. */
export const identityToolkitCodes = tableOf({
  BILLING_NOT_ENABLED: project('The feature needs a billing account'),
  CONFIGURATION_NOT_FOUND: project('Authentication is not set up in the project'),
  EMAIL_EXISTS: {
    kind: 'rejected',
    says: 'Another user has the address',
    acts: 'operator',
    customer: 'has the new address with us, and signs in with the old one',
  },
  INSUFFICIENT_PERMISSION: project('The service account lacks a permission'),
  INVALID_EMAIL: {
    kind: 'rejected',
    says: 'Firebase does not take the address',
    acts: 'operator',
    customer: 'has the new address with us, and signs in with the old one',
  },
  MISSING_LOCAL_ID: {
    kind: 'rejected',
    says: 'The request names no user',
    acts: 'developers',
    customer: 'is erased here; an operator deletes the user at Firebase',
  },
  PERMISSION_DENIED: project('The service account lacks a permission'),
  PROJECT_NOT_FOUND: project('There is no such project'),
  QUOTA_EXCEEDED: { kind: 'unavailable', says: 'A quota of the project is exceeded', acts: 'nobody', customer: erased },
  USER_NOT_FOUND: {
    kind: 'rejected',
    says: 'There is no such user',
    acts: 'nobody',
    customer: 'is deleted at Firebase already',
  },
})
