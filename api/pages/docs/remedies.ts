/** The remedy of each problem, for programs. The cause is in causes.ts. */
import type { ProblemCode } from '../../http/problems.ts'

const repeatLater = 'Repeat the same request, with the same Idempotency-Key, after the time in `Retry-After`.'
const readAgain = 'Read the resource again and offer what its state allows now.'
const askUs = 'Nothing that a program could do: send us the `requestId`.'
const internal = 'Our own runs meet this; a program hardly ever does. If it lasts, send us the `requestId`.'

export const remedies: Readonly<Record<ProblemCode, string>> = {
  invalid_request:
    'Correct the fields in `errors`. It is a mistake of the program or an input of a person: repeating it unchanged does not help.',
  malformed_json: 'Send one JSON object in UTF-8.',
  idempotency_key_required:
    'Make a random key, for example a UUID, before the first attempt; store it, and send it with each repetition.',
  unauthenticated:
    'Get a new ID token from Firebase and repeat. Look whether a key that is refused is whole and of this installation; replace one that was revoked.',
  fresh_sign_in_required: 'Let the person sign in again, and repeat with the new ID token.',
  no_account: 'Offer to sign up: `POST /v1/accounts` with the same ID token.',
  forbidden: 'Call it with the credentials of the caller that the documentation of the operation names.',
  role_insufficient:
    'Ask an operator whose role permits it, or an admin for another role. docs/operators.md lists what each role may do.',
  scope_insufficient:
    'Call it with a service key that has the scope of the operation: `npm run keys -- create service --label <text> --scopes <scopes>`.',
  second_operator_required:
    'Ask another operator to look at it, and to do it or to start the bulk action: by a key of their own where a key has asked first, else on the console. SECOND_OPERATOR_ABOVE_MINOR is the limit of what one refunds alone within 24 hours, and of one order.',
  forged_form: 'Open the page again and send the form from there.',
  not_found: 'Check the id. A person reaches only what is theirs; what was erased stays away.',
  method_not_allowed: 'Use one of the methods in the header `Allow`.',
  dispute_state_conflict: readAgain,
  erasure_step_conflict:
    'Read the receipt: the state of the step says whether it waits for an operator. `detail` says what ends it.',
  webhook_endpoint_conflict:
    'Read the endpoint: enable it before it can get events, wait a day between two changes of its secret, or delete one that is not used.',
  email_taken: 'Offer to sign in.',
  identity_taken: 'Sign in with that identity: its account is there already, and `GET /v1/account` has it.',
  identity_differs: 'Sign in with the identity that is linked, or create another account.',
  request_in_progress: repeatLater,
  policy_version_taken: 'Post the text under a new version.',
  version_conflict: 'Read the resource, apply the change to what it is now, and send the new `ETag` in `If-Match`.',
  body_too_large: 'Send only the fields that the operation names.',
  unsupported_media_type: 'Send `Content-Type: application/json`.',
  idempotency_key_reused: 'A key that was used stays with its first request. Make a new one for a new request.',
  sign_in_refused: 'Let the person sign in with Apple or Google again: a code can be used once, within minutes.',
  webhook_refused: 'Check the secret with which the sender signs, and the clock of the sender.',
  too_many_requests: 'Wait for `Retry-After`. Ask less often: a waiting screen needs one request in two seconds.',
  internal_error: 'Repeat once with the same Idempotency-Key. If it fails again, send us the `requestId`.',
  restoring: repeatLater,
  unavailable: repeatLater,
  account_missing: 'Sign up first, or stop: the account was erased.',
  account_in_use: 'Nothing: the account is kept.',
  package_unavailable:
    'Read `GET /v1/packages` again and offer what is there now. For a top-up read `GET /v1/esims/{id}/top-ups`.',
  price_changed:
    'Nothing was ordered. Read `GET /v1/packages` (of a top-up `GET /v1/esims/{id}/top-ups`) again, show the price of now, and order with a new Idempotency-Key once the customer agrees.',
  payment_unavailable: repeatLater,
  payment_refused: askUs,
  payment_pending: internal,
  refund_refused: 'An operator has to look at the payment in the processor’s dashboard.',
  refund_exceeds_payment: 'Read the order: `refunds` says what was refunded. Ask for at most the rest.',
  refund_under_way:
    'Read the order: `refunds` shows the other one. If money is still to be given back then, ask for it again.',
  provider_unavailable: repeatLater,
  provider_misconfigured: askUs,
  still_allocating: internal,
  out_of_stock:
    'It is the `reason` of an order, which is refunded by itself. Offer another package; for an eSIM, what `GET /v1/esims/{id}/top-ups` lists now.',
  placement_unsettled: repeatLater,
  esim_in_use: 'It cannot be returned any more: say so, and offer the support.',
  esim_still_lives: internal,
  mail_unavailable: repeatLater,
  push_unavailable: internal,
  measurement_unavailable: internal,
  sign_in_party_unavailable: repeatLater,
  erasure_refused: internal,
  erasure_incomplete: internal,
  order_state_conflict:
    'Read the order: the states of an order list what each of them accepts. What an eSIM takes now is in `GET /v1/esims/{id}/top-ups`.',
  order_missing: 'The order does not exist or was erased: take it off the screen.',
  withdrawal_not_opened: 'Open the withdrawal first: `POST /v1/orders/{id}/withdrawal`.',
  withdrawal_period_over: 'Offer a refund of unused eSIMs, or the support.',
  withdrawal_right_lost: 'Show that the eSIM was used, and offer the support.',
  email_change_state_conflict: 'Begin a new change of the address.',
  key_rotation_running: 'Wait for the end of the rotation that is under way.',
  keyring_behind: 'Give every process the new key first.',
  campaign_state_conflict: readAgain,
  bulk_action_state_conflict: readAgain,
  privacy_request_state_conflict: readAgain,
  policy_state_conflict: readAgain,
  message_unreadable: internal,
  backup_tool_missing: 'Install `pg_dump` of the database’s major version or a newer one where the worker runs.',
  backup_failed: 'Repeat it; the detail of the backup says what failed.',
  transparency_log_forked:
    'An operator finds out which of both was changed: docs/runbooks/what-waits-for-an-operator.md says how.',
  breach_state_conflict: readAgain,
  backup_unreadable: 'Use another one: `GET /v1/backups` lists those that are kept.',
}
