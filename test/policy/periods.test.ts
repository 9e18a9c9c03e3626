/**
 * All periods, written a second time in days, hours, minutes and seconds: a change of one has to be meant. Periods that
 * the privacy policy promises come first.
 */
import { expect, test } from 'vitest'
import { milliseconds, periods } from '../../policy/periods.ts'

/** `1d 2h` for milliseconds; numbers in other units stay. */
function inWords(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => inWords(each, name))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inWords(inner, key)]))
  }
  if (typeof value !== 'number' || !/ms$/i.test(name)) return value
  let left = value
  const parts = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
    ['ms', 1],
  ] as const
  return parts
    .flatMap(([unit, ms]) => {
      const count = Math.floor(left / ms)
      left -= count * ms
      return count > 0 ? [`${count}${unit}`] : []
    })
    .join(' ')
}

test('the promised periods are those of the privacy policy', () => {
  expect(periods.account.inactivityYears, 'R1').toBe(3)
  expect(periods.books.years, 'R2').toBe(7)
  expect(periods.backups.keepDays, 'R3').toBe(30)
  expect(periods.securityLog.keepDays, 'R4').toBe(90)
  expect(periods.privacyRequest.answerWithinDays, 'G6').toBe(30)
  expect(periods.policyNotice.beforeEffectDays, 'N2').toBe(30)
})

test('every period is the one that was meant', () => {
  expect(inWords(periods)).toMatchInlineSnapshot(`
    {
      "account": {
        "inactivityYears": 3,
        "openedAheadDays": 2,
        "warningsBeforeDays": [
          60,
          30,
          7,
        ],
      },
      "allowanceMs": "1d",
      "backups": {
        "keepDays": 30,
        "nextWithinMs": "1d 12h",
      },
      "books": {
        "years": 7,
      },
      "breach": {
        "authorityWithinMs": "3d",
        "enteredWithinDays": 366,
        "escalateAfterMs": "2d 18h",
        "lateReminderMs": "1d",
        "missedPeopleForMs": "365d",
        "readsEndWithinMs": "30s",
        "remindAfterMs": [
          "1d",
          "2d",
        ],
        "repeatTriedForMs": "3d",
      },
      "catalogue": {
        "askAgainAfterMs": [
          "10s",
          "1min",
          "5min",
          "15min",
        ],
        "dailyLengths": [
          3,
          7,
          15,
          30,
        ],
        "seenGrainMs": "6h",
        "staleAfterMs": "2d",
      },
      "deletion": {
        "lastMailTriedForMs": "3d",
        "listedRunsMs": "1d",
        "overdueAfterMs": "3d",
        "refundLooksDays": [
          1,
          3,
          7,
          14,
          30,
        ],
        "secondLookMs": "10min",
      },
      "emailChangeMs": "1d",
      "endedSignInMs": "30d",
      "erasedReferenceMs": "180d",
      "events": {
        "longestPauseMs": "1h",
        "previousSecretMs": "1d",
        "retriedForMs": "3d",
        "retryAfterMs": [
          "5s",
          "30s",
          "2min",
          "10min",
          "30min",
          "1h",
          "2h",
          "4h",
          "8h",
          "12h",
        ],
      },
      "eventsMs": "30d",
      "fraudWarning": {
        "decideWithinMs": "3d",
        "returnTriedForMs": "2d",
      },
      "freshSignInMs": "10min",
      "guessedCodesMs": "15min",
      "idempotencyKeysMs": "1d",
      "keys": {
        "rotateWithinDays": 365,
      },
      "measurement": {
        "googleMaxAgeMs": "3d",
        "metaMaxAgeMs": "7d",
      },
      "operatorConfirmation": {
        "confirmEveryMs": "5min",
        "confirmWithinMs": "15min",
      },
      "operatorRecords": {
        "years": 7,
      },
      "operatorRefundsMs": "1d",
      "operatorSignInMs": "10min",
      "operatorTask": {
        "dueSoonMs": "2d",
      },
      "order": {
        "delayNoticeMs": "2min",
        "deliverWithinMs": "1h",
        "esimLifeMaxMs": "400d",
        "esimPollMs": "1d",
        "lastDayMs": "1d",
        "lowDataShare": 0.8,
        "maxQuantity": 10,
        "paymentLookupsMs": [
          "30s",
          "2min",
          "10min",
        ],
        "paymentWindowMs": "1h",
        "refundSettlesWithinMs": "30d",
        "reviewWindowMs": "1d",
        "unusedValidMs": "180d",
      },
      "policyNotice": {
        "announcedAheadDays": 31,
        "askAgainAfterMs": [
          "3min",
          "30min",
          "2h",
          "6h",
          "12h",
          "1d",
          "1d",
          "1d",
        ],
        "beforeEffectDays": 30,
      },
      "privacyRequest": {
        "answerWithinDays": 30,
        "escalateAtDay": 27,
        "extensionDays": 60,
        "keepAnsweredDays": 90,
        "lateReminderDays": 7,
        "remindAtDays": [
          14,
          21,
        ],
      },
      "reconciliation": {
        "balanceLastsDays": 3,
        "graceMs": "10min",
        "inFlightMs": "9d",
        "lookBackMs": "35d",
        "spendingOverMs": "7d",
        "staleAfterMs": "1d 12h",
      },
      "reconciliationsMs": "90d",
      "restore": {
        "closedAtMostMs": "20min",
        "firstRetryMs": "5s",
        "lastRetryMs": "1h",
        "settledWithinMs": "7d",
      },
      "securityLog": {
        "keepDays": 90,
        "partitionsAheadDays": 7,
      },
      "signInLinkMs": "15min",
      "stripeRedactionAfterDays": 90,
      "velocity": {
        "maxGrossUsdMicros": 550000000,
        "maxOrders": 10,
        "windowMs": "1d",
      },
      "velocityAcrossAccounts": {
        "keepMs": "30d",
        "maxGrossUsdMicros": 2200000000,
        "maxOrders": 60,
      },
      "webSession": {
        "operatorMs": "8h",
        "personMs": "30min",
        "unconfirmedOperatorMs": "30min",
      },
      "webhookDedupeMs": "14d",
      "withdrawal": {
        "automaticForDays": 7,
        "days": 14,
        "publicHolidayDays": 5,
        "refundWithinDays": 14,
      },
    }
  `)
  expect(milliseconds).toEqual({ second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 })
})
