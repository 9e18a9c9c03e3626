/**
 * The promises of the privacy policy, by the ids that code, tests and documentation use: the file that keeps each
 * promise, the test that proves it, and the figures that show it (policy/figures.ts). test/policy/promises.test.ts
 * verifies all three.
 */
import type { FigureName } from './figures.ts'

export interface PromiseEntry {
  sentence: string
  keptBy: string
  /** `title` is part of the test's name */
  provenBy: { file: string; title: string }
  figures: readonly FigureName[]
}

export const promises = {
  C1: {
    sentence: 'We keep a first name, a last name and an e-mail address.',
    keptBy: 'db/accounts.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C1 C2 C5 C6 G1 P6 U1: an account stores exactly' },
    figures: ['unsealed_columns', 'unreadable_accounts'],
  },
  C2: {
    sentence: 'We keep a phone number only if it is given.',
    keptBy: 'db/accounts.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C2: sign-up works without a phone number' },
    figures: ['unsealed_columns', 'demanded_columns', 'unreadable_accounts'],
  },
  C3: {
    sentence: 'We keep what was bought: packages, dates, destinations, amounts.',
    keptBy: 'db/order/orders.ts',
    provenBy: { file: 'test/api/export.test.ts', title: 'C3 G5: an export matches its published schema' },
    figures: ['unbooked_orders', 'unexported_columns'],
  },
  C4: {
    sentence: 'We keep a device identifier and its push token.',
    keptBy: 'activities/sending/push-to-account.ts',
    provenBy: { file: 'test/orders/notices.test.ts', title: 'C4: a token that FCM calls unregistered is deleted' },
    figures: ['unsealed_columns', 'unsent_pushes'],
  },
  C5: {
    sentence: 'We keep app version, device model, system version, and the sign-up and last sign-in IP, encrypted.',
    keptBy: 'db/devices.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C5 S1: personal columns of an account are unreadable' },
    figures: ['unsealed_columns', 'clear_ip_columns'],
  },
  C6: {
    sentence: 'We keep Apple and Google sign-in identifiers, encrypted.',
    keptBy: 'db/identities.ts',
    provenBy: { file: 'test/api/sign-in-parties.test.ts', title: 'C6 G3: a sign-up with Apple links the user' },
    figures: ['unsealed_columns'],
  },
  C7: {
    sentence: 'We keep nothing else: no location, contacts, microphone, health data or advertising identifier.',
    keptBy: 'api/views/account-fields.ts',
    provenBy: {
      file: 'test/api/input/bad-input.test.ts',
      title: 'C7: a sign-up with the field %s is refused',
    },
    figures: ['unknown_columns'],
  },
  U1: {
    sentence: 'Data serves to create and manage the account.',
    keptBy: 'api/sign-in/sign-up.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C1 C2 C5 C6 G1 P6 U1: an account stores exactly' },
    figures: ['unreadable_accounts'],
  },
  U2: {
    sentence: 'Data serves to take payments and provide eSIMs: who paid is delivered or refunded.',
    keptBy: 'workflows/order/order.ts',
    provenBy: {
      file: 'test/orders/faults/kill.long.test.ts',
      title: 'U2: a killed worker loses nothing and repeats nothing',
    },
    figures: ['unsettled_orders', 'unsettled_payments'],
  },
  U3: {
    sentence: 'Data serves to send confirmations, activation codes and package updates, each once.',
    keptBy: 'activities/order/notices.ts',
    provenBy: {
      file: 'test/orders/notices.test.ts',
      title: 'U3: a mail server that defers is asked again, and the mail comes once',
    },
    figures: ['unsent_mails', 'unsent_pushes'],
  },
  U4: {
    sentence: 'Promotions go only to those who asked for them, and can be stopped at any time.',
    keptBy: 'workflows/campaign.ts',
    provenBy: {
      file: 'test/workflows/campaign.test.ts',
      title: 'U4: a person who withdraws the consent during a campaign',
    },
    figures: ['unwanted_promotions', 'unproven_consents'],
  },
  U5: {
    sentence: 'Data serves to prevent fraud and detect abuse.',
    keptBy: 'activities/order/payment/payment.ts',
    provenBy: {
      file: 'test/orders/review.test.ts',
      title: 'U5: of many orders paid in the same moment, what exceeds the daily number is held',
    },
    figures: ['overdue_reviews', 'oldest_velocity_count'],
  },
  U6: {
    sentence: 'Data serves to meet accounting and tax duties.',
    keptBy: 'db/order/books.ts',
    provenBy: {
      file: 'test/orders/refunds/refunds.test.ts',
      title: 'U6: %s: unused eSIMs are returned and the payment is refunded, with a credit note',
    },
    figures: ['invoice_gaps', 'missing_invoices', 'unbooked_orders', 'unbooked_money'],
  },
  P1: {
    sentence: 'The eSIM provider gets technical identifiers only.',
    keptBy: 'providers/esim.ts',
    provenBy: { file: 'test/orders/canary.test.ts', title: 'P1 P3: nobody outside who need not know' },
    figures: ['telling_references'],
  },
  P2: {
    sentence: 'The payment processor takes the payment; no card data is stored here.',
    keptBy: 'providers/stripe/payments.ts',
    provenBy: {
      file: 'test/providers/stripe.test.ts',
      title: 'P2: Stripe gets the order id, a keyed hash of it, and no other detail',
    },
    figures: ['card_columns'],
  },
  P3: {
    sentence: 'Ad measurement gets a purchase and its value, and no more.',
    keptBy: 'activities/order/measurement.ts',
    provenBy: { file: 'test/orders/canary.test.ts', title: 'P1 P3: nobody outside who need not know' },
    figures: ['unasked_measurements'],
  },
  P4: {
    sentence: 'Push messages go through Apple and Google.',
    keptBy: 'providers/firebase/push.ts',
    provenBy: { file: 'test/providers/push.test.ts', title: 'P4: a push is delivered once' },
    figures: ['unsent_pushes', 'unlisted_hosts'],
  },
  P5: {
    sentence: 'The mail provider gets transactional mail.',
    keptBy: 'providers/mail/mail.ts',
    provenBy: { file: 'test/providers/mail.test.ts', title: 'P5: only promotions have the one-click headers' },
    figures: ['unsent_mails', 'open_mail'],
  },
  P6: {
    sentence: 'The security provider in front of the service processes request IPs.',
    keptBy: 'api/server.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C1 C2 C5 C6 G1 P6 U1: an account stores exactly' },
    figures: ['clear_ip_columns'],
  },
  P7: {
    sentence: 'The servers are in the EU.',
    keptBy: 'config.ts',
    provenBy: {
      file: 'test/config.test.ts',
      title: 'P7: production in a region outside the EU and EEA does not start',
    },
    figures: ['foreign_regions'],
  },
  P8: {
    sentence: 'Nothing is sold, and nothing is shared with anybody else.',
    keptBy: 'policy/sub-processors.ts',
    provenBy: { file: 'test/api/evidence.test.ts', title: 'P5 P7 P8: the evidence names settings with unknown hosts' },
    figures: ['unlisted_hosts'],
  },
  S1: {
    sentence: 'Sensitive data is encrypted at rest.',
    keptBy: 'workflows/keys/key-rotation.ts',
    provenBy: { file: 'test/workflows/key-rotation.long.test.ts', title: 'S1: keys are rotated' },
    figures: ['unsealed_columns', 'lost_keys', 'key_age'],
  },
  R1: {
    sentence: 'An account is kept until it is deleted, or unused for 3 years.',
    keptBy: 'workflows/retention/account-inactivity.ts',
    provenBy: {
      file: 'test/workflows/retention/account-inactivity.test.ts',
      title: 'R1: an unused account is warned 60, 30 and 7 days before, and erased after three years',
    },
    figures: ['accounts_past_term'],
  },
  R2: {
    sentence: 'Invoices and orders are kept anonymised for 7 years.',
    keptBy: 'workflows/retention/invoice-retention.ts',
    provenBy: {
      file: 'test/workflows/retention/invoice-retention.test.ts',
      title: 'R2: the books of a month are purged after seven years',
    },
    figures: ['books_past_term'],
  },
  R3: {
    sentence: 'Backups are kept for at most 30 days.',
    keptBy: 'workflows/backup/backup.ts',
    provenBy: { file: 'test/workflows/backup.test.ts', title: 'R3: a backup is deleted before it is thirty days old' },
    figures: ['newest_backup', 'oldest_backup', 'uncounted_backups'],
  },
  R4: {
    sentence: 'Security logs are kept for at most 90 days.',
    keptBy: 'workflows/housekeeping/housekeeping.ts',
    provenBy: {
      file: 'test/workflows/housekeeping/housekeeping.test.ts',
      title: 'R4: the security log drops each day before its first row is ninety days old',
    },
    figures: ['oldest_security_log'],
  },
  G1: {
    sentence: 'Everybody can see their data.',
    keptBy: 'api/views/account-view.ts',
    provenBy: { file: 'test/api/accounts.test.ts', title: 'C1 C2 C5 C6 G1 P6 U1: an account stores exactly' },
    figures: ['unreadable_accounts'],
  },
  G2: {
    sentence: 'Everybody can correct their data.',
    keptBy: 'workflows/email-change.ts',
    provenBy: {
      file: 'test/workflows/email-change.test.ts',
      title: 'G2: a new address replaces the old one once both have confirmed',
    },
    figures: ['overdue_email_changes'],
  },
  G3: {
    sentence: 'Everybody can delete their account at once.',
    keptBy: 'workflows/account-deletion.ts',
    provenBy: { file: 'test/erasure/proof.test.ts', title: 'G3: nothing of the erased person is in any table' },
    figures: ['overdue_erasures', 'unfinished_erasures'],
  },
  G4: {
    sentence: 'Consent to promotions can be withdrawn at any time.',
    keptBy: 'db/consents.ts',
    provenBy: { file: 'test/workflows/campaign.test.ts', title: 'G4: opening the unsubscribe link changes nothing' },
    figures: ['unwanted_promotions', 'unproven_consents'],
  },
  G5: {
    sentence: 'Everybody can take their data along, as JSON.',
    keptBy: 'api/export/account-export.ts',
    provenBy: { file: 'test/api/export.test.ts', title: 'C3 G5: an export matches its published schema' },
    figures: ['unexported_columns', 'unreadable_accounts'],
  },
  G6: {
    sentence: 'Specific requests are answered within 30 days.',
    keptBy: 'workflows/privacy-request.ts',
    provenBy: { file: 'test/workflows/privacy-request.test.ts', title: 'G6: a request is acknowledged at once' },
    figures: ['late_requests', 'oldest_request'],
  },
  K1: {
    sentence: 'Data of a child under 13 is deleted promptly when we learn of it.',
    keptBy: 'api/routes/accounts/account-deletion.ts',
    provenBy: { file: 'test/api/account-deletion.test.ts', title: 'K1: an operator deletes the account of a child' },
    figures: ['overdue_child_erasures'],
  },
  N1: {
    sentence: 'A material change of the policy is posted.',
    keptBy: 'api/pages/policies.tsx',
    provenBy: {
      file: 'test/workflows/policy-notice.test.ts',
      title: 'N1: a material change is posted, mailed once to every person, and in force on its day',
    },
    figures: ['policies_in_force'],
  },
  N2: {
    sentence: 'And mailed to active users at least 30 days before it takes effect.',
    keptBy: 'workflows/policy-notice.ts',
    provenBy: {
      file: 'test/workflows/policy-notice.test.ts',
      title: 'N2: a late page of notices postpones the date',
    },
    figures: ['short_notices', 'notice_share'],
  },
} as const satisfies Record<string, PromiseEntry>

export type PromiseId = keyof typeof promises
