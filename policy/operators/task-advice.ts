/**
 * What each kind of operator task means, and what an operator does about it: the console and the API show it beside the
 * task. docs/runbooks/what-waits-for-an-operator.md shows the table. Those of differences are in reconciliation.ts.
 */
import { erasureSteps } from '../deletion.ts'
import { differenceKinds } from '../reconciliation.ts'

export interface TaskAdvice {
  meaning: string
  /** what an operator does, and what closes the task where that is not the operator */
  cure: string
}

const advice = {
  outage: {
    meaning: 'Calls to this outside party have been failing for five minutes',
    cure: 'Look at its status page and at our settings for it. What waits goes on by itself once it answers, which closes the task',
  },
  provider_misconfigured: {
    meaning: 'An outside party refuses our credentials, balance or settings, or answers with a code that no table has',
    cure: 'Look the code up in docs/codes, and correct the settings or the account there. What waits goes on by itself; then settle the task',
  },
  run_wedged: {
    meaning: 'The workflow task of a run fails again and again: the run stands still',
    cure: 'Give the run id to a developer. The run goes on with corrected code, which closes the task',
  },
  schedule_silent: {
    meaning: 'A schedule starts no runs any more: somebody has paused it, or a run of it does not end',
    cure: 'In Temporal’s Web UI unpause it, or look what its open run waits for (docs/runbooks/why-is-a-run-wedged.md). Its next run closes the task; settle it if the pause is meant',
  },
  run_lost: {
    meaning: 'A run was ended by hand, has timed out or has failed, and nothing goes on with its work',
    cure: 'Reset the run in Temporal’s Web UI if it was not meant to end, else settle the task (docs/runbooks/why-is-a-run-wedged.md). An order needs nothing: the hourly payment sweep settles one that is not delivered, and the run of a delivered one begins again by itself, once its aftercare has closed',
  },
  run_overdue: {
    meaning: 'A run is past the time by which it should have gone on',
    cure: 'Look in Temporal’s Web UI what its pending activity fails with, and mend that. The task closes once the run has moved on',
  },
  order_overdue: {
    meaning: 'An order is past the time by which it has to be delivered, refunded or decided',
    cure: 'Open the order. “Retry now” asks the parties again; “Cancel” or “Refund in full” gives the money back. The task closes once the order has moved on',
  },
  order_out_of_step: {
    meaning: 'The database and the run of an order show different states, and repeating the lost act has not helped',
    cure: 'Stripe and the provider say which is right: docs/runbooks/why-is-a-run-wedged.md. Once they agree, the hourly payment sweep closes the task',
  },
  order_run_failed: {
    meaning: 'The run of an order has failed; the hourly payment sweep settles what it has left',
    cure: 'Look at the order after an hour: it has to be delivered or refunded. If it is neither, refund it in full',
  },
  cancelled_and_used: {
    meaning: 'A customer cancelled, got no answer, and has used the eSIM that came all the same: it stays theirs',
    cure: 'Nothing is owed. Refund a part if they ask for it, and settle the task',
  },
  operator_sign_in_guessed: {
    meaning: 'Ten codes in a row were refused after this operator’s right password: somebody may know it',
    cure: 'Save the operator again (npm run operators -- save), which makes a new password; then settle the task',
  },
  payment_unresolved: {
    meaning: 'Stripe has not said for a day whether an order was paid',
    cure: 'Look at the payment in Stripe’s dashboard, and ask its support. The order waits and asks again each day',
  },
  payment_unsettled: {
    meaning: 'A payment has arrived after its order had ended, and is being refunded',
    cure: 'Look after an hour whether the order has its refund, which closes the task. Otherwise refund it in full',
  },
  payment_not_accepted: {
    meaning:
      'A payment does not match its order, or a restore could not find out what was delivered; nothing was bought',
    cure: 'Compare the payment in Stripe’s dashboard with the order, refund it, and write to the customer: our mail has promised that',
  },
  refund_failed: {
    meaning: 'The bank has sent a refund back, or Stripe refuses it: the customer does not have the money',
    cure: 'Ask the customer for another way. “Refund in full” repeats the refund, which closes the task; if the money has gone another way, note how and settle it: nothing refunds it by itself then',
  },
  partial_refund_failed: {
    meaning:
      'The bank has sent a refund in part back, or Stripe refuses it; refund_released: its run was reset, and its amount had been released',
    cure: '“Refund in part” again, which closes the task, unless another refund was made instead; or find another way with the customer, note it and settle the task',
  },
  refund_unsettled: {
    meaning: 'Stripe has not said for 30 days whether a refund has arrived',
    cure: 'Ask Stripe’s support with the id of the refund, note the answer, and settle the task',
  },
  refund_made_elsewhere: {
    meaning: 'Somebody has refunded this order in Stripe’s dashboard. Our books have it',
    cure: 'Note why it was refunded, and settle the task',
  },
  refund_elsewhere_failed: {
    meaning: 'A refund that was made in Stripe’s dashboard has failed: the customer does not have the money',
    cure: '“Refund in part” or “in full” on the order, or another way with the customer; then settle the task',
  },
  returned_not_refunded: {
    meaning: 'eSIMs of this order have gone back to their provider, and no refund was asked for with them',
    cure: '“Refund in full” or “in part”, which closes the task; settle it if nothing is owed',
  },
  withdrawal_unsettled: {
    meaning: 'A customer has withdrawn from the contract, and the eSIM or the refund could not be settled',
    cure: 'Refund the order before the due date, 14 days after the statement',
  },
  withdrawal_after_use: {
    meaning: 'A customer wants to withdraw after use, and had not agreed to delivery at once: the right may outlast it',
    cure: 'Decide whether it does, then refund the order or write to the customer, and settle the task',
  },
  dispute_open: {
    meaning: 'The customer’s bank disputes a payment',
    cure: 'Send the evidence or accept the dispute on the order’s page before the due date (docs/fraud-and-disputes.md)',
  },
  dispute_lost: {
    meaning: 'A dispute is lost: the bank has taken the money back',
    cure: 'Look whether the same person has further orders, note it, and settle the task',
  },
  dispute_unrecorded: {
    meaning: 'A dispute was reported, and could not be read from Stripe or recorded',
    cure: 'Look at it in Stripe’s dashboard, and answer it there if its date is near. We go on trying every hour',
  },
  dispute_evidence_unstaged: {
    meaning: 'The evidence of a dispute could not be put together or handed to Stripe',
    cure: '“Retry now” on the order, which closes the task. If it stays, answer in Stripe’s dashboard before the bank’s date',
  },
  esim_not_suspendable: {
    meaning: 'The eSIM of a disputed payment could not be suspended at its provider',
    cure: 'Suspend it in the provider’s portal if much of it is left, and settle the task',
  },
  esim_not_resumable: {
    meaning: 'A dispute is over, and the provider does not let the eSIM run again: the customer has paid for it',
    cure: 'Have the provider’s support resume it, or refund the order; then settle the task',
  },
  fraud_warning: {
    meaning: 'The bank warns that a payment may be fraudulent, and the eSIM cannot be taken back by itself',
    cure: 'Decide before the due date: a refund in full prevents the dispute and its fee (docs/fraud-and-disputes.md)',
  },
  fraud_warning_unread: {
    meaning: 'Stripe has not said for a week whether a fraud warning is to be acted on',
    cure: 'Look at the payment in Stripe’s dashboard, decide as for a fraud warning, and settle the task',
  },
  esim_ended_by_provider: {
    meaning: 'The provider has ended an eSIM before its time; the detail says whether it was used',
    cure: 'An order is refunded by itself once the provider has ended all its eSIMs unused. Of one of several, or a used one, ask the provider why, and refund a part; then settle the task',
  },
  esim_suspended_by_provider: {
    meaning: 'The provider has suspended an eSIM, and not because of us: its customer is offline',
    cure: 'Ask the provider’s support why and have it resumed, or refund the order; then settle the task',
  },
  esim_sold_twice: {
    meaning:
      'The provider, which the detail names, has given an eSIM to this order that another order has: it stays the other one’s',
    cure: 'Ask the provider’s support for another eSIM. The order is delivered once it has one, and refunded after an hour; then settle the task',
  },
  provider_order_unreturned: {
    meaning: 'An eSIM or top-up that we do not need could not be given back: it was used, or the provider refuses',
    cure: 'Ask the provider’s support to refund us, with the reference on the order’s page; the customer is owed nothing by this. Then settle the task',
  },
  provider_refund_requested: {
    meaning: 'The provider’s staff decides whether we get back what an eSIM has cost',
    cure: 'Look for the decision in its portal after some days, and settle the task',
  },
  provider_price_raised: {
    meaning: 'A package costs more at its provider than its customer has paid us: it was not bought there',
    cure: 'The order goes on at another provider, or is refunded. Set another price (PUT /v1/packages/{code}/price), and settle the task',
  },
  provider_balance_low: {
    meaning: 'Our balance at the provider will soon be used up; then its orders wait',
    cure: 'Top it up in the provider’s portal. The next reading closes the task',
  },
  package_price: {
    meaning: 'The price of a package does not cover its cost, or is out of proportion: it is off sale',
    cure: 'Set another price (PUT /v1/packages/{code}/price), which closes the task',
  },
  provider_packages_unreadable: {
    meaning: 'Some entries of the provider’s price list cannot be read, and are not sold; all others are',
    cure: 'Have a developer compare the list with its documentation. A list that can be read closes the task',
  },
  provider_offers_stale: {
    meaning: 'The provider’s price list could not be read for two days: its offers are off sale',
    cure: 'Mend what the code says (docs/codes). POST /v1/packages/sync reads it again, which closes the task',
  },
  vat_evidence_incomplete: {
    meaning: 'For some orders of this month the evidence of the buyers’ country is incomplete',
    cure: 'The journal of the month shows which (GET /v1/books/journal). Look them through before its return is filed (docs/vat.md)',
  },
  mail_undelivered: {
    meaning: 'A mail about an order could not be sent for days',
    cure: 'Look whether the mail server works, then “Resend the mail” on the order, and settle the task',
  },
  mail_bounced: {
    meaning: 'A mail came back, and no phone could be told of it: the person may not know of their eSIM or answer',
    cure: 'Reach the person another way, and ask for another address; resend the mail, and settle the task',
  },
  email_change_unreachable: {
    meaning: 'One side of a change of address takes no mail, so it cannot agree; the detail says which',
    cure: 'Old: identify the person, then waive its consent on the account’s page. New: ask the person for the right address',
  },
  sign_in_account_disabled: {
    meaning:
      'Google has disabled the person’s account: it may be in other hands. Sign-ins are ended, and offers are off',
    cure: 'Look at the last orders for misuse, note it, and settle the task. It closes when Google enables the account again',
  },
  sign_in_not_moved: {
    meaning:
      'The person has a new address with us, and Firebase signs them in with another one: whoever has that mailbox can be mailed a new password. The detail says why',
    cure: 'elsewhere: the user has a third address there; ask the person which one is theirs. taken: another Firebase user has the new address; find out whether it is theirs, and delete one of the two. Change the address at Firebase then, and settle the task',
  },
  privacy_request_due: {
    meaning: 'A privacy request waits for its answer',
    cure: 'Answer it on its page, which closes the task',
  },
  privacy_request_escalated: {
    meaning: 'A privacy request has to be answered within three days',
    cure: 'Answer it on its page today, or extend its time with a reason',
  },
  privacy_request_late: {
    meaning: 'A privacy request was not answered within 30 days: the promise is broken',
    cure: 'Answer it on its page now',
  },
  privacy_request_unreachable: {
    meaning: 'A mail about a privacy request could not be sent to the person; the detail says which',
    cure: 'Answer another way, and record on its page that it was answered elsewhere',
  },
  policy_notice_undelivered: {
    meaning: 'Some mails about a version of the policy could not be sent for days, and were given up',
    cure: 'These people see the notice when they sign in. Note what was done to reach them, and settle the task',
  },
  paused_without_run: {
    meaning: 'The run of a campaign or bulk action was gone. It has begun once more, and waits; the detail says which',
    cure: 'Look whether somebody has ended it on purpose, then resume or cancel it (POST /v1/campaigns/{id}/resume or POST /v1/campaigns/{id}/cancel, for a bulk action POST /v1/bulk-actions/{id}/resume or POST /v1/bulk-actions/{id}/cancel, or the console), and settle the task',
  },
  campaign_stuck: {
    meaning: 'A campaign has paused itself: the mail server has taken nothing for days',
    cure: 'Look at the mail server, then POST /v1/campaigns/{id}/resume, and settle the task',
  },
  breach_due: {
    meaning: 'A breach waits for the decisions about authority and people',
    cure: 'Notify or decide, within 72 hours of becoming aware (docs/breaches.md)',
  },
  breach_escalated: {
    meaning: 'The 72 hours for the authority are almost over',
    cure: 'Notify the authority now; details may follow later (docs/breaches.md)',
  },
  breach_late: {
    meaning: 'The authority was not notified within 72 hours',
    cure: 'Notify it now, with the reasons for the delay (docs/breaches.md)',
  },
  breach_mail_stuck: {
    meaning: 'The mail server has taken no mail to the people of a breach for days',
    cure: 'Look at the mail server, then decide on the people again, which begins the mailing anew',
  },
  breach_people_found_later: {
    meaning: 'More people are concerned by a breach than when it was decided to notify nobody',
    cure: 'Look at the number again, and decide anew (docs/breaches.md)',
  },
  breach_people_unreached: {
    meaning: 'Mails about a breach did not reach some people: the law asks for another way',
    cure: 'GET /v1/breaches/{id}/people names them. Reach them another way, or publish it; then settle the task',
  },
  webhook_endpoint_disabled: {
    meaning: 'The app backend gets no more events: its endpoint took none for three days, or answered 410',
    cure: 'Have its developers mend it. PATCH /v1/webhook-endpoints/{id} with {"state": "enabled"} sends what it has missed, and closes the task',
  },
  webhook_endpoint_of_revoked_key: {
    meaning: 'Events go on to an address that a key gave which was revoked since; the detail is the key',
    cure: 'Ask whose the address is. PATCH /v1/webhook-endpoints/{id} with its url, or DELETE it, closes the task; settle it if the address is ours',
  },
  event_not_taken: {
    meaning: 'The app backend has refused one event for three days, and taken others: it is not sent any more',
    cure: 'Give the code to its developers: GET /v1/events has the event. Then settle the task',
  },
  backup_failed: {
    meaning: 'The nightly backup was not made; the detail says why',
    cure: 'Mend what it says (docs/runbooks/is-a-backup-missing.md). POST /v1/backups makes a backup now, which closes the task',
  },
  backup_lost: {
    meaning: 'Backups are not in the backup folder, or no key of BACKUP_KEYS opens them; the detail says how many',
    cure: 'Mount or copy the folder again, or give BACKUP_KEYS the old key again (docs/runbooks/is-a-backup-missing.md). The next backup closes the task; if they are lost, settle it',
  },
  webhooks_missing: {
    meaning:
      'Stripe’s events of an hour were found by the payment sweep alone: its webhooks do not come, or are refused',
    cure: 'Look at the webhook endpoint in Stripe’s dashboard (docs/runbooks/are-webhooks-missing.md). Until then orders are late, and none is lost. A webhook that comes closes the task within the hour',
  },
  restored_access: {
    meaning: 'A restore has brought back operators, keys and endpoints as they were in the backup',
    cure: 'Look them through, end again what has ended since (docs/restore.md), and settle the task',
  },
  promotions_suspended: {
    meaning: 'A restore has withdrawn all consents to offers, as some may have been withdrawn since the backup',
    cure: 'npm run restore -- confirm-promotions gives them back, if nobody has withdrawn any; to settle the task leaves them withdrawn',
  },
  restore_undecided: {
    meaning: 'A restore could not decide about this order, payment, run or table',
    cure: 'Decide by what the task names, or npm run restore -- retry (docs/restore.md). A campaign, bulk action, breach, key rotation or version of the policy goes on once the task is settled',
  },
  key_rotation_due: {
    meaning: 'A key is in use for longer than it may be',
    cure: 'Put a new key last, then first, into the settings of every process, and POST /v1/key-rotations, which closes the task',
  },
  books_past_term: {
    meaning: 'Books of a month that are past their period could not all be deleted',
    cure: 'Give the month to a developer. The next deletion that is complete closes the task',
  },
  reconciliation_incomplete: {
    meaning: 'A party could not be read, so our books were not compared with all of its own',
    cure: 'POST /v1/reconciliations once it answers. A complete one closes the task',
  },
  transparency_log_forked: {
    meaning: 'The public log and its copy in the backup folder have different entries of one number: one was changed',
    cure: 'Find out which of them was changed (docs/runbooks/what-waits-for-an-operator.md). Nothing is appended until then',
  },
} as const satisfies Record<string, TaskAdvice>

export const taskAdvice: Readonly<Record<string, TaskAdvice>> = advice

const ofDeletion: TaskAdvice = {
  meaning: 'A step of a deletion was refused, or is overdue; the receipt names it',
  cure: 'An overdue step goes on being tried, and closes the task. For a refused one remove the cause and “Try again”, or have that party delete by hand and press “Done by hand”. Settling is refused: it would leave the deletion open',
}

/** What a kind of task means and what to do about it; undefined for one that nobody has explained. */
export function adviceOn(kind: string): TaskAdvice | undefined {
  if (Object.hasOwn(advice, kind)) return taskAdvice[kind]
  if (erasureSteps.some((step) => kind === `deletion_${step}`)) return ofDeletion
  const differences: Readonly<Record<string, { meaning: string; cure: { how: string } }>> = differenceKinds
  const difference = Object.hasOwn(differences, kind) ? differences[kind] : undefined
  return difference && { meaning: difference.meaning, cure: difference.cure.how }
}
