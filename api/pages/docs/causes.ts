/**
 * The causes of a workflow's failures, for the pages of their problems. The meaning of each other problem says its
 * cause.
 */
import type { FailureProblemCode } from '../../http/problems.ts'

const stateOf = (what: string): string =>
  `Somebody or the run itself has moved the ${what} on since you read it, or its state never allowed this.`
const silent = (who: string): string =>
  `${who} did not answer in time, or answered that it cannot at the moment. Nothing is lost: it is asked again.`

export const causes: Readonly<Record<FailureProblemCode, string>> = {
  account_missing:
    'The id was never one of an account, or the account was erased: because the person asked for it, or after three years without use.',
  account_in_use: 'The account was due for its erasure, and was used again before.',
  package_unavailable:
    'No provider offers the package any more, its price does not cover its cost at the moment, or it is a top-up that this eSIM does not take.',
  payment_unavailable: silent('The payment processor'),
  payment_refused:
    'The payment processor takes our request for wrong. It is a mistake in our settings or in our program.',
  payment_pending: 'The bank has the payment and has not decided: bank debits take days.',
  refund_refused: 'The payment was given back already, is disputed, or is too old for a refund.',
  refund_exceeds_payment: 'With what was given back before it would be more than the customer has paid.',
  refund_under_way: 'Two refunds of one order were asked for at the same time. The first one is being made.',
  provider_unavailable: silent('The eSIM provider'),
  provider_misconfigured:
    'Keys, balance or contract at the provider do not allow the call. Our operators are told at once.',
  still_allocating: 'The provider has taken the order and has no eSIM for it yet: mostly seconds, at times minutes.',
  out_of_stock: 'All providers of the package were asked, and none has it in stock.',
  placement_unsettled: 'A call to the provider was cut off. Its books are read before anything is ordered again.',
  esim_in_use: 'The provider says that the eSIM was put onto a phone, has used data, or has a paid top-up.',
  esim_still_lives: 'The order can end only once its last eSIM has.',
  mail_unavailable: silent('The mail server'),
  push_unavailable: silent('Firebase'),
  measurement_unavailable: silent('Meta or Google Analytics'),
  sign_in_party_unavailable: silent('Apple, Google or Firebase'),
  erasure_refused: 'A sub-processor has refused the deletion for good. Our operators are told at once.',
  erasure_incomplete: 'A sub-processor has taken the deletion and still shows data: it is looked at again.',
  order_state_conflict: stateOf('order'),
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
