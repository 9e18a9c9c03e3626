/** All periods that the product promises or relies on. */

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const periods = {
  order: {
    paymentWindowMs: 60 * minute,
    /** after checkout, in case the payment webhook was lost */
    paymentLookupsMs: [30 * second, 2 * minute, 10 * minute],
    reviewWindowMs: 24 * hour,
    delayNoticeMs: 2 * minute,
    /** U2: paid means delivered or refunded. After payment, or after the approval of an order in review. */
    deliverWithinMs: 60 * minute,
    /** a card refund can still fail this long after it succeeded */
    refundSettlesWithinMs: 30 * day,
    /** when nothing is due earlier, the provider is asked this often about a delivered eSIM */
    esimPollMs: 1 * day,
    /** an eSIM that was never installed can be installed this long, where its provider does not say how long */
    unusedValidMs: 180 * day,
    /** an eSIM that is not installed expires at its provider at the latest then */
    esimLifeMaxMs: 400 * day,
    lowDataShare: 0.8,
    lastDayMs: 1 * day,
    maxQuantity: 10,
  },
  restore: {
    /** a restored database is completed within this, or traffic is taken all the same */
    closedAtMostMs: 20 * minute,
    /** what cannot be settled within this is left to operators */
    settledWithinMs: 7 * day,
    firstRetryMs: 5 * second,
    lastRetryMs: hour,
  },
  /** Directive 2011/83/EU, Articles 9 and 13: see policy/withdrawal.ts */
  withdrawal: {
    days: 14,
    /** added for public holidays: docs/decisions/0350-a-margin-for-public-holidays.md */
    publicHolidayDays: 5,
    refundWithinDays: 14,
    /** after this an operator carries it out, and has the rest of the time */
    automaticForDays: 7,
  },
  catalogue: {
    /** the offers of a provider that does not answer stay on sale this long */
    staleAfterMs: 48 * hour,
    /** precision of the time at which an offer was last listed: saves a write of every offer every hour */
    seenGrainMs: 6 * hour,
    /** pauses after which a provider that does not answer is asked again, before the next hourly run */
    askAgainAfterMs: [10 * second, minute, 5 * minute, 15 * minute],
    /** numbers of days that packages sold by the day are sold for */
    dailyLengths: [3, 7, 15, 30],
  },
  /** a task with a due date is shown as urgent this long before; ops/alerts.yml has the same number */
  operatorTask: { dueSoonMs: 2 * day },
  measurement: { metaMaxAgeMs: 7 * day, googleMaxAgeMs: 72 * hour },
  /**
   * U5: fraud is prevented. Orders of an account beyond these limits go into review. In US dollars, for every shop's
   * currency.
   */
  velocity: { windowMs: 1 * day, maxOrders: 10, maxGrossUsdMicros: 550_000_000 },
  /**
   * U5, fraud is prevented: the same limits of a day hold for a card, a device and an address over all accounts, also
   * deleted ones; these hold for as long as the counts are kept.
   */
  velocityAcrossAccounts: { keepMs: 30 * day, maxOrders: 60, maxGrossUsdMicros: 2_200_000_000 },
  /**
   * U5, fraud is prevented: four in five warnings that nobody acts on become a dispute with a fee
   * (docs.stripe.com/disputes/how-disputes-work), and Stripe does not say when: an operator decides within days. An
   * eSIM provider that does not answer leaves time to decide.
   */
  fraudWarning: { decideWithinMs: 3 * day, returnTriedForMs: 2 * day },
  account: {
    /** R1: an account is kept until it is unused for 3 years */
    inactivityYears: 3,
    warningsBeforeDays: [60, 30, 7],
    /** a run is started this long before its first warning is due, because the next sweep may be late */
    openedAheadDays: 2,
  },
  deletion: {
    /** G3: everybody can delete their account. Erasure steps that are not done by then become operator tasks. */
    overdueAfterMs: 3 * day,
    /** all calls that were under way at the erasure have ended by then */
    secondLookMs: 10 * minute,
    /**
     * Temporal's list may lag behind, or be down, for so long; a run that is gone and still listed is then an
     * operator's
     */
    listedRunsMs: day,
    /** the address of an erased person is kept no longer for a last mail that no mail server accepts */
    lastMailTriedForMs: 3 * day,
    /** days after a refund on which it is checked for failure */
    refundLooksDays: [1, 3, 7, 14, 30],
  },
  /** R2: invoices and orders are kept anonymised for 7 years */
  books: { years: 7 },
  /** what operators did that is about no account, and tasks that are closed: as long as the books that they explain */
  operatorRecords: { years: 7 },
  /** R3: backups are kept for at most 30 days */
  backups: {
    keepDays: 30,
    /** a backup is made every night: after this time one is missing */
    nextWithinMs: 36 * hour,
  },
  /** R4: security logs are kept for at most 90 days */
  securityLog: { keepDays: 90, partitionsAheadDays: 7 },
  /** S1: sensitive data is encrypted. Key-encryption and payload keys in use for longer become an operator task. */
  keys: { rotateWithinDays: 365 },
  /** G6: requests are answered within 30 days */
  privacyRequest: {
    answerWithinDays: 30,
    remindAtDays: [14, 21],
    escalateAtDay: 27,
    /** GDPR article 12(3): one extension by two months, of which the person is informed with the reason */
    extensionDays: 60,
    /** days between two reminders of an overdue answer */
    lateReminderDays: 7,
    /** days after the answer, for further questions; then the request is deleted */
    keepAnsweredDays: 90,
  },
  /** GDPR article 33: the authority is notified of a breach within 72 hours of becoming aware. Since then: */
  breach: {
    authorityWithinMs: 72 * hour,
    remindAfterMs: [24 * hour, 48 * hour],
    escalateAfterMs: 66 * hour,
    /** a request that was under way when the breach was opened is answered, or refused, by then */
    readsEndWithinMs: 30 * second,
    /** between two reminders of a breach that is not settled in time */
    lateReminderMs: 1 * day,
    /** an older time of becoming aware is a typing error */
    enteredWithinDays: 366,
    /**
     * who corrects their address so long after the others were told is told as well; later there is nothing that they
     * could still do about it, and operators have found another way (article 34(3)(c))
     */
    missedPeopleForMs: 365 * day,
    /** a mailbox that puts a repeated notice off for longer counts as one that takes no mail */
    repeatTriedForMs: 3 * day,
  },
  /** N2: a material change is mailed at least 30 days before it takes effect */
  policyNotice: {
    beforeEffectDays: 30,
    /** a version must be posted this many days ahead: one day more, in which the notices are sent */
    announcedAheadDays: 31,
    /** pauses before another pass over accounts without a notice; after the last one they get it from the page only */
    askAgainAfterMs: [3 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, day, day, day],
  },
  /** Stripe refuses to redact younger transactions */
  stripeRedactionAfterDays: 90,
  idempotencyKeysMs: 24 * hour,
  /** Stripe retries an event for 3 days, Airalo for 5 hours */
  webhookDedupeMs: 14 * day,
  /** events can be read again for this long */
  eventsMs: 30 * day,
  events: {
    /** an endpoint that has taken nothing for this long is disabled; a single event that it refuses is given up */
    retriedForMs: 3 * day,
    /** between two attempts; the last one repeats */
    retryAfterMs: [
      5 * second,
      30 * second,
      2 * minute,
      10 * minute,
      30 * minute,
      hour,
      2 * hour,
      4 * hour,
      8 * hour,
      12 * hour,
    ],
    /** the longest `Retry-After` that is followed */
    longestPauseMs: hour,
    previousSecretMs: day,
  },
  /** a token of an erased person lives for an hour, and longer while Firebase has not deleted the user */
  endedSignInMs: 30 * day,
  reconciliation: {
    /** refunds settle within 30 days, and most eSIMs are used within this time */
    lookBackMs: 35 * day,
    /** without a newer one, nobody knows whether the books agree */
    staleAfterMs: 36 * hour,
    /** payments and orders that began just before the comparison may show on one side only */
    graceMs: 10 * minute,
    /** our runs try refunds and returns for a week: what is still in flight then has no run any more */
    inFlightMs: 9 * day,
    /** over which the rate of spending at a provider is taken */
    spendingOverMs: 7 * day,
    /** operators are notified when a provider's balance lasts for fewer days */
    balanceLastsDays: 3,
  },
  reconciliationsMs: 90 * day,
  /**
   * Until then something of an erased payment may come up that reaches a comparison: Stripe keeps our mark until it is
   * redacted (above), and banks take disputes for 120 days (docs.stripe.com/disputes/how-disputes-work)
   */
  erasedReferenceMs: 180 * day,
  /** the longest window of policy/allowances.ts: an older count says nothing */
  allowanceMs: 1 * day,
  signInLinkMs: 15 * minute,
  /** after too many refused codes an operator's sign-in is refused for this time, also with the right one */
  guessedCodesMs: 15 * minute,
  /** what an operator gives back alone is added up for this time */
  operatorRefundsMs: 1 * day,
  /** how long an operator may take to sign in at the OpenID provider */
  operatorSignInMs: 10 * minute,
  /**
   * sessions of the web pages: a person's visit, an operator's working day, and that of one whom nobody can be asked
   * about
   */
  webSession: { personMs: 30 * minute, operatorMs: 8 * hour, unconfirmedOperatorMs: 30 * minute },
  /**
   * An operator of the OpenID provider works on only while it confirms them: it is asked so often, and a session ends
   * for the time being when it has not answered for so long
   */
  operatorConfirmation: { confirmEveryMs: 5 * minute, confirmWithinMs: 15 * minute },
  /** G2: everybody can correct their data. Both addresses have to confirm a change within this time. */
  emailChangeMs: 24 * hour,
  freshSignInMs: 10 * minute,
} as const

export const milliseconds = { second, minute, hour, day } as const
