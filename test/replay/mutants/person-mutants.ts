/** Mutants of the workflows about persons. */
import type { Mutant } from './mutants.ts'

export const personMutants: Mutant[] = [
  {
    name: 'a breach for which nobody looks whose data was read',
    mutation: { workflow: 'breach', activity: 'openBreach', fault: 'skipped', result: true },
    first: true,
    caughtBy: ['breach-settled-in-time', 'breach-waits-for-an-operator'],
  },
  {
    name: 'a breach of which no operator is reminded',
    mutation: { workflow: 'breach', activity: 'remindOfBreach', fault: 'skipped' },
    caughtBy: ['breach-told-overdue-and-to-nobody', 'breach-waits-for-an-operator-overdue'],
  },
  {
    name: 'what was recorded of a breach that nobody reads',
    mutation: {
      workflow: 'breach',
      activity: 'readDecisions',
      fault: 'altered',
      result: { authoritySettled: false, people: 'undecided' },
    },
    caughtBy: ['breach-carried-on', 'breach-settled-in-time'],
  },
  {
    name: 'people of a breach who are not told',
    mutation: { workflow: 'breach', activity: 'tellPeople', fault: 'skipped', result: { told: 0, left: false } },
    caughtBy: ['breach-settled-in-time', 'breach-waits-for-the-mail-server'],
  },
  {
    name: 'a deletion that erases nobody',
    mutation: { workflow: 'accountDeletion', activity: 'eraseAccount', fault: 'skipped', result: null },
    first: true,
    caughtBy: ['account-deletion-complete', 'account-deletion-of-nobody', 'account-deletion-waits-for-redaction'],
  },
  {
    name: 'a deletion that looks once only',
    mutation: { workflow: 'accountDeletion', activity: 'verifyErasure', when: { final: true }, fault: 'skipped' },
    caughtBy: ['account-deletion-complete', 'account-deletion-waits-for-the-last-backup'],
  },
  {
    name: 'a deletion that never looks at the list of Temporal again',
    mutation: { workflow: 'accountDeletion', activity: 'deleteRuns', when: { final: true }, fault: 'skipped' },
    caughtBy: [
      'account-deletion-complete',
      'account-deletion-verified-before-the-list',
      'account-deletion-that-looks-at-runs-alone',
      'account-deletion-whose-verification-is-refused',
    ],
  },
  {
    name: 'a step of a deletion that is tried in vain, when an earlier run has left it',
    mutation: { workflow: 'accountDeletion', activity: 'deleteFirebaseUser', fault: 'skipped' },
    caughtBy: ['account-deletion-tried-twice-at-once'],
  },
  {
    name: 'a step of a deletion that is not tried again',
    mutation: { workflow: 'accountDeletion', receivedSignal: 'try-again' },
    caughtBy: ['account-deletion-tried-again'],
  },
  {
    name: 'a refund of an erased person that nobody watches',
    mutation: { workflow: 'accountDeletion', activity: 'settlePayments', fault: 'altered', result: { watch: false } },
    caughtBy: ['account-deletion-waits-for-a-refund-to-settle', 'account-deletion-left-to-an-operator'],
  },
  {
    name: 'an overdue deletion that nobody is shown',
    mutation: { workflow: 'accountDeletion', activity: 'raiseOverdue', fault: 'skipped' },
    caughtBy: ['account-deletion-waits-for-somebody-overdue'],
  },
  {
    name: 'a sign-in that ends without its link',
    mutation: { workflow: 'signInEnded', activity: 'unlinkApple', fault: 'skipped', result: false },
    first: true,
    caughtBy: ['sign-in-ended-and-told', 'sign-in-ended-waits-for-the-mail-server'],
  },
  {
    name: 'an unused account that is taken for gone',
    mutation: { workflow: 'accountInactivity', activity: 'beginInactivity', fault: 'skipped', result: 'gone' },
    first: true,
    caughtBy: ['account-inactivity-of-nobody', 'account-inactivity-waits-for-the-first-warning'],
  },
  {
    name: 'an account that nobody asks about again',
    mutation: { workflow: 'accountInactivity', activity: 'stillInactive', fault: 'skipped', result: 'inactive' },
    caughtBy: [
      'account-inactivity-came-back',
      'account-inactivity-of-somebody-erased-meanwhile',
      'account-inactivity-taken-over-from-a-lost-run',
      'account-inactivity-warned-and-erased',
    ],
  },
  {
    name: 'an account that is warned once only',
    mutation: { workflow: 'accountInactivity', activity: 'sendLaterWarning', fault: 'skipped' },
    caughtBy: [
      'account-inactivity-warned-late',
      'account-inactivity-waits-for-the-last-warning',
      'account-inactivity-waits-for-the-deletion',
    ],
  },
  {
    name: 'a request that is taken for recorded',
    mutation: { workflow: 'privacyRequest', activity: 'findRequest', fault: 'skipped', result: true },
    first: true,
    caughtBy: ['privacy-request-never-recorded', 'privacy-request-waits-for-the-mail-server'],
  },
  {
    name: 'a request that stays a draft',
    mutation: { workflow: 'privacyRequest', activity: 'openRequest', fault: 'skipped', result: true },
    first: true,
    caughtBy: [
      'privacy-request-of-a-draft-that-was-dropped',
      'privacy-request-from-a-draft-answered-by-mail',
      'privacy-request-extended-in-a-run-that-is-gone',
    ],
  },
  {
    name: 'an answer that is not taken',
    mutation: { workflow: 'privacyRequest', activity: 'takeAnswer', fault: 'skipped', result: true },
    caughtBy: [
      'privacy-request-from-a-draft-answered-by-mail',
      'privacy-request-from-a-draft-answered-elsewhere-after-a-refused-answer',
    ],
  },
  {
    name: 'a request that nobody acknowledges',
    mutation: { workflow: 'privacyRequest', activity: 'acknowledgeRequest', fault: 'skipped', result: 'sent' },
    caughtBy: ['privacy-request-erased-with-its-person', 'privacy-request-waits-for-an-answer'],
  },
  {
    name: 'an extension that is not told again',
    mutation: { workflow: 'privacyRequest', activity: 'tellOfExtension', fault: 'skipped', result: 'sent' },
    caughtBy: ['privacy-request-whose-extension-is-told-again', 'privacy-request-gone-after-its-extension'],
  },
  {
    name: 'operators whom nobody urges',
    mutation: { workflow: 'privacyRequest', activity: 'urgeOperators', fault: 'skipped', result: 'sent' },
    caughtBy: [
      'privacy-request-escalated-and-answered-late',
      'privacy-request-waits-for-an-overdue-answer',
      'privacy-request-waits-for-an-answer-until-the-second-deadline',
    ],
  },
  {
    name: 'an answered request that is never forgotten',
    mutation: { workflow: 'privacyRequest', activity: 'forgetRequest', fault: 'skipped' },
    caughtBy: ['privacy-request-answered-in-time', 'privacy-request-extended-and-refused-by-the-mailbox'],
  },
  {
    name: 'a change of address that is taken for recorded',
    mutation: { workflow: 'emailChange', activity: 'findEmailChange', fault: 'skipped', result: true },
    first: true,
    caughtBy: ['email-change-never-recorded', 'email-change-waits-for-both-addresses'],
  },
  {
    name: 'a change of address that stays a draft',
    mutation: { workflow: 'emailChange', activity: 'openEmailChange', fault: 'skipped', result: 'open' },
    first: true,
    caughtBy: [
      'email-change-from-a-draft',
      'email-change-of-a-draft-beside-another',
      'email-change-of-a-draft-that-was-dropped',
      'email-change-made-by-a-run-that-is-gone',
    ],
  },
  {
    name: 'an old address that is not asked',
    mutation: {
      workflow: 'emailChange',
      activity: 'askForConfirmation',
      when: { side: 'old' },
      fault: 'skipped',
      result: 'sent',
    },
    caughtBy: ['email-change-waits-for-the-old-address', 'email-change-cancelled', 'email-change-replaced'],
  },
  {
    name: 'an old address that is not told',
    mutation: { workflow: 'emailChange', activity: 'tellOldAddress', fault: 'skipped' },
    caughtBy: [
      'email-change-confirmed',
      'email-change-waived-by-an-operator',
      'email-change-waits-for-the-mail-server',
      'email-change-made-as-it-expires',
      'email-change-made-by-a-run-that-is-gone',
    ],
  },
  {
    name: 'a sign-in that stays with the old address',
    mutation: { workflow: 'emailChange', activity: 'moveSignIn', fault: 'skipped' },
    caughtBy: [
      'email-change-that-moves-the-sign-in',
      'email-change-waits-for-firebase',
      'email-change-made-by-a-run-that-is-gone',
    ],
  },
  {
    name: 'addresses that outlive the change',
    mutation: { workflow: 'emailChange', activity: 'endEmailChange', fault: 'skipped' },
    caughtBy: ['email-change-lapsed', 'email-change-to-an-address-that-got-an-account'],
  },
  {
    name: 'a policy that nobody puts up',
    mutation: {
      workflow: 'policyNotice',
      activity: 'postPolicy',
      fault: 'skipped',
      result: { effectiveAt: '2026-01-01T00:00:00.000Z' },
    },
    caughtBy: [
      'policy-notice-that-another-one-forbids',
      'policy-notice-waits-for-its-day',
      'policy-notice-not-posted',
      'policy-notice-not-posted-for-an-unknown-reason',
    ],
  },
  {
    name: 'a policy in force before its day',
    mutation: {
      workflow: 'policyNotice',
      activity: 'nextPolicyStep',
      fault: 'skipped',
      result: { step: 'end', status: 'in_force', effectiveAt: '2026-01-01T00:00:00.000Z' },
    },
    first: true,
    caughtBy: [
      'policy-notice-in-force',
      'policy-notice-of-wording',
      'policy-notice-moved-to-a-later-day',
      'policy-notice-withdrawn',
      'policy-notice-carried-on',
      'policy-notice-waits-for-the-mail-server',
      'policy-notice-posted-by-a-run-that-is-gone',
      'policy-notice-posted-and-withdrawn-in-a-run-that-is-gone',
    ],
  },
  {
    name: 'a notice of which operators do not learn whom it missed',
    mutation: { workflow: 'policyNotice', activity: 'giveUpPolicyMails', fault: 'skipped' },
    caughtBy: ['policy-notice-that-mail-never-reached'],
  },
  {
    name: 'a notice that goes on after its withdrawal',
    mutation: { workflow: 'policyNotice', activity: 'withdrawPolicy', fault: 'skipped', result: { state: 'in_force' } },
    caughtBy: ['policy-notice-withdrawn-while-it-is-told'],
  },
  {
    name: 'a campaign that stays a draft',
    mutation: { workflow: 'campaign', activity: 'openCampaign', fault: 'skipped', result: true },
    first: true,
    caughtBy: ['campaign-from-a-draft', 'campaign-of-a-draft-that-was-dropped'],
  },
  {
    name: 'a campaign that is sent to nobody',
    mutation: {
      workflow: 'campaign',
      activity: 'sendCampaignPage',
      fault: 'skipped',
      result: { lookedAt: 0, sent: 0, stopped: false },
    },
    first: true,
    caughtBy: ['campaign-done', 'campaign-carried-on', 'campaign-waits-for-the-mail-server'],
  },
  {
    name: 'a stuck campaign that no operator sees',
    mutation: { workflow: 'campaign', activity: 'reportStuckCampaign', fault: 'skipped' },
    caughtBy: ['campaign-stuck-and-cancelled'],
  },
  {
    name: 'a change of a campaign that is not recorded',
    mutation: { workflow: 'campaign', activity: 'setCampaignState', fault: 'skipped' },
    caughtBy: ['campaign-paused-and-resumed', 'campaign-cancelled', 'campaign-waits-for-an-operator'],
  },
]
