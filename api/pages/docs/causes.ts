/** The cause of each problem, for its page. The remedy is in remedies.ts. */
import type { ProblemCode } from '../../http/problems.ts'

const stateOf = (what: string): string =>
  `Somebody or the run itself has moved the ${what} on since you read it, or its state never allowed this.`
const silent = (who: string): string =>
  `${who} did not answer in time, or answered that it cannot at the moment. Nothing is lost: it is asked again.`

export const causes: Readonly<Record<ProblemCode, string>> = {
  invalid_request:
    'A field of the body, a parameter or a header does not have the form that the operation names. `errors` lists each of them.',
  malformed_json: 'The body is no JSON object, is cut off, or is not in the encoding that its headers say.',
  idempotency_key_required: 'The operation does something that must not be done twice, and the request names no key.',
  unauthenticated:
    'No credentials were sent, or they are mistyped, expired, revoked or of another installation. For a page: the session is over.',
  fresh_sign_in_required:
    'The operation shows or changes what is most personal, and the person signed in more than ten minutes ago.',
  no_account:
    'Firebase has signed the person in, and no account here is linked to that sign-in: none was made, or it was erased.',
  forbidden: 'The credentials are of a caller of another kind: a person, a service key, an operator key.',
  role_insufficient: 'The role of the signed-in operator does not permit the page or the act. Nothing was done.',
  scope_insufficient: 'The service key was made with scopes, and that of the operation is none of them.',
  second_operator_required:
    'One operator would refund more within 24 hours than one may alone, or what operators refund of one order, each alone, has come to that.',
  forged_form:
    'The form has no token or another session’s, or the browser says that another site has sent it: it was open since before a sign-out, or somebody tries to act in your name.',
  not_found:
    'The id was never one, belongs to somebody else, or was of something that was erased. The answer does not tell which.',
  method_not_allowed: 'The address exists, and does not answer to this method.',
  dispute_state_conflict:
    'The bank has decided, the evidence was sent before, which a bank takes once, or none is staged yet.',
  email_taken: 'An account has this e-mail address. An address has one account at most.',
  identity_taken: 'The user at Apple, Google or Firebase is linked to an account already.',
  identity_differs: 'The account is linked to another user of the same provider.',
  request_in_progress: 'An earlier request of the same kind, or with the same Idempotency-Key, has not ended yet.',
  policy_version_taken: 'A text was posted under this version before.',
  erasure_step_conflict:
    'The step was done meanwhile, is being tried, is looked at by the deletion itself, has lost what it needs, or is left open by closing its task.',
  webhook_endpoint_conflict:
    'The endpoint was disabled or deleted, its secret was changed within the last day, or there are twenty endpoints already.',
  version_conflict: 'Somebody has changed the resource since its `ETag` was read.',
  body_too_large: 'The body is larger than the largest that the operation can need.',
  unsupported_media_type:
    'The header `Content-Type` is missing or names something else than JSON in UTF-8, or `Content-Encoding` one that is not known.',
  idempotency_key_reused: 'The key came with another request before: other parameters, or another body.',
  sign_in_refused:
    'The token or code of Apple or Google has expired, was used before, is meant for another app, or is not signed by them.',
  webhook_refused:
    'The secret in our settings is not that of the sender, the clocks differ by minutes, or somebody else has sent it.',
  too_many_requests:
    'The caller, its address or its account has sent more requests than it may in this time, or has asked for something too often that costs money or mails people.',
  internal_error:
    'A fault in our program, which is logged with the request id. Whether anything was done is not known.',
  restoring: 'The database was restored from a backup, and the orders since are being rebuilt.',
  unavailable:
    'The database, Temporal, a worker or an outside party did not answer in time. Whether anything was done is not known.',
  account_missing:
    'The id was never one of an account, or the account was erased: because the person asked for it, or after three years without use.',
  account_in_use: 'The account was due for its erasure, and was used again before.',
  package_unavailable:
    'No provider offers the package any more, its price does not cover its cost at the moment, or it is a top-up that this eSIM does not take.',
  price_changed:
    'The order would cost something else than its `expectedAmount`: we have set another price since the app has read it, or the program has multiplied it by another quantity.',
  payment_unavailable: silent('The payment processor'),
  payment_refused:
    'The payment processor takes our request for wrong. It is a mistake in our settings or in our program.',
  payment_pending: 'The bank has the payment and has not decided: bank debits take days.',
  refund_refused: 'The payment was refunded already, is disputed, or is too old for a refund.',
  refund_exceeds_payment: 'With what was refunded before it would be more than the customer has paid.',
  refund_under_way: 'Two refunds of one order were asked for at the same time. The first one is being made.',
  provider_unavailable: silent('The eSIM provider'),
  provider_misconfigured:
    'Keys, balance or contract at the provider do not allow the call. Our operators are notified at once.',
  still_allocating: 'The provider has taken the order and has no eSIM for it yet: mostly seconds, at times minutes.',
  out_of_stock:
    'Each provider of the package has refused the order for good: it has none in stock, does not sell it any more, or has another price. Of a top-up: its eSIM has ended, takes no more, or was returned meanwhile.',
  placement_unsettled: 'A call to the provider was cut off. Its books are read before anything is ordered again.',
  esim_in_use:
    'The provider says that the eSIM was put onto a phone or has used data; the eSIM has a paid top-up; or the order is a top-up itself, whose data no provider takes back.',
  esim_still_lives: 'The order can end only once its last eSIM has.',
  mail_unavailable: silent('The mail server'),
  push_unavailable: silent('Firebase'),
  measurement_unavailable: silent('Meta or Google Analytics'),
  sign_in_party_unavailable: silent('Apple, Google or Firebase'),
  erasure_refused: 'A sub-processor has refused the deletion for good. Our operators are notified at once.',
  erasure_incomplete: 'A sub-processor has taken the deletion and still shows data: it is looked at again.',
  order_state_conflict: `${stateOf('order')} Of a top-up: its eSIM is suspended, has ended or is being returned.`,
  order_missing: 'The id was never one of an order, or its account was erased.',
  withdrawal_not_opened:
    'A withdrawal takes two steps, so that nobody withdraws by mistake, and the first one is missing.',
  withdrawal_period_over: 'The fourteen days for a withdrawal have passed since the order.',
  withdrawal_right_lost: 'The customer has agreed that delivery begins at once, and has used the eSIM since.',
  email_change_state_conflict: 'It was confirmed, cancelled or replaced by another one, or its 24 hours are over.',
  key_rotation_running: 'One rotation for each purpose runs at a time.',
  keyring_behind: 'The process that was asked has the old key first in its settings.',
  campaign_state_conflict: stateOf('campaign'),
  bulk_action_state_conflict: stateOf('bulk action'),
  privacy_request_state_conflict: stateOf('request'),
  policy_state_conflict: stateOf('policy version'),
  message_unreadable: 'Something else than this API has sent a message to a run, for example by Temporal’s Web UI.',
  backup_tool_missing: 'The worker has no `pg_dump`, or one that is older than the database server.',
  backup_failed:
    'The database, the folder of the backups or the key did not allow it; the detail of the backup says which.',
  transparency_log_forked: 'An entry of the log differs from the copy that was made of it: one of them was changed.',
  breach_state_conflict: stateOf('breach'),
  backup_unreadable: 'The file was deleted, cut off or changed, or its key is not in `BACKUP_KEYS`.',
}
