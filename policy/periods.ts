/** Every period the product promises or relies on. The only place where they stand. */

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
    /** after payment, or after approval where an operator reviewed the order (U2) */
    deliverWithinMs: 60 * minute,
    /** a card refund can still bounce this long after it succeeded */
    refundSettlesWithinMs: 30 * day,
    /** when nothing is due earlier, the provider is asked this often about a delivered eSIM */
    esimPollMs: 1 * day,
    /** an uninstalled eSIM lapses at the provider at the latest then */
    esimLifeMaxMs: 400 * day,
    lowDataShare: 0.8,
    lastDayMs: 1 * day,
    maxQuantity: 10,
  },
  catalogue: {
    /** what a provider that cannot be asked offered last stays on sale this long */
    staleAfterMs: 48 * hour,
    /** how exactly it is known when an offer was last seen: sparing a write of every offer every hour */
    seenGrainMs: 6 * hour,
    /** a provider that could not be asked is asked again after these; then the next run does it */
    askAgainAfterMs: [10 * second, minute, 5 * minute, 15 * minute],
    /** packages sold by the day are sold for so many days */
    dailyLengths: [3, 7, 15, 30],
  },
  measurement: { metaMaxAgeMs: 7 * day, googleMaxAgeMs: 72 * hour },
  /** U5: what is paid beyond this in the window is held for an operator; in dollars, whatever the shop sells in */
  velocity: { windowMs: 1 * day, maxOrders: 10, maxGrossUsdMicros: 550_000_000 },
  account: {
    /** R1 */
    inactivityYears: 3,
    warningsBeforeDays: [60, 30, 7],
    /** a run is opened before its first warning is due, since the next look for accounts may come late */
    openedAheadDays: 2,
  },
  deletion: {
    /** G3: whoever has not done their part by then is shown to an operator */
    overdueAfterMs: 3 * day,
    /** by then every attempt that was under way at the erasure has ended */
    secondLookMs: 10 * minute,
    /** after a refund, whether it has bounced */
    refundLooksDays: [1, 3, 7, 14, 30],
  },
  /** R2 */
  books: { years: 7 },
  /** R3 */
  backups: { keepDays: 30 },
  /** R4 */
  securityLog: { keepDays: 90, partitionsAheadDays: 7 },
  /** S1: then an operator is shown that the key-encryption and payload keys want changing */
  keys: { rotateWithinDays: 365 },
  /** G6 */
  privacyRequest: {
    answerWithinDays: 30,
    remindAtDays: [14, 21],
    escalateAtDay: 27,
    /** once, with a reason that the person is told: two months in the words of Art. 12(3) GDPR */
    extensionDays: 60,
    /** an answer that is overdue is asked for again this often */
    lateReminderDays: 7,
    /** after the answer, for what is asked back; then the request is forgotten */
    keepAnsweredDays: 90,
  },
  /** N2 */
  policyNotice: {
    beforeEffectDays: 30,
    /** a material change is announced for so many days ahead at least: one more, in which to tell everybody */
    announcedAheadDays: 31,
    /** whoever could not be told is tried again after these; then mail is given up, and the page has to do */
    askAgainAfterMs: [3 * minute, 30 * minute, 2 * hour, 6 * hour, 12 * hour, day, day, day],
  },
  /** Stripe refuses to redact transactions younger than this */
  stripeRedactionAfterDays: 90,
  idempotencyKeysMs: 24 * hour,
  /** Stripe repeats an event for 3 days, Airalo for 5 hours */
  webhookDedupeMs: 14 * day,
  signInLinkMs: 15 * minute,
  /** of the web pages; an operator works for a day, a person is gone after the visit */
  webSession: { personMs: 30 * minute, operatorMs: 8 * hour },
  /** G2: by then both addresses must have agreed */
  emailChangeMs: 24 * hour,
  freshSignInMs: 10 * minute,
} as const

export const milliseconds = { second, minute, hour, day } as const
