/** Rare ends of the runs about persons: deletions, breaches, privacy requests, changes of address, unused accounts. */
import { randomUUID } from 'node:crypto'
import { erasureSteps } from '../../../policy/deletion.ts'
import { failure } from '../../../shared/failures.ts'
import { accountDeletionType, erased, tryAgain } from '../../../workflows/account-deletion.contract.ts'
import {
  type BreachDecisions,
  opened as breachOpened,
  breachType,
  recorded,
} from '../../../workflows/breach/breach.contract.ts'
import {
  cancelEmailChange,
  opened as changeOpened,
  confirmEmail,
  emailChangeType,
} from '../../../workflows/email-change.contract.ts'
import {
  extend,
  privacyRequestType,
  opened as requestOpened,
  resolve,
} from '../../../workflows/privacy-request.contract.ts'
import { accountInactivityType } from '../../../workflows/retention/account-inactivity.contract.ts'
import type { Scenario } from '../scenario.ts'
import { type Answers, gate, inTurn, notLocally, rare, throws, unknownFailure } from './played-run.ts'

const hour = 3_600_000
const day = 24 * hour
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString()
const triesBeforeRegular = 7

const aDeletion = () =>
  ({ type: accountDeletionType, args: [{ accountRef: randomUUID(), reason: 'requested' }] }) as const
const erasure = () => ({
  receiptId: randomUUID(),
  erasedAt: inDays(0),
  backupsGoneBy: inDays(30),
  pending: [...erasureSteps],
})

/** Its next attempt is made in two hours. */
const processorIsAway = (): Error => failure('PaymentUnavailable', { code: 'http_503', nextRetryDelay: 2 * hour })

export const rareDeletions: Record<string, Scenario> = {
  'account-deletion-of-a-person-known-to-everybody': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: erasure,
      settlePayments: () => ({ watch: false }),
      completeDeletion: () => ({ complete: true }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-that-everybody-refuses': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: erasure,
      settlePayments: inTurn({ watch: true }, { watch: true }, { watch: false }),
      deleteStripeCustomer: throws(failure('ErasureRefused', { code: 'customer_kept' })),
      verifyErasure: throws(unknownFailure()),
      revokeApple: throws(failure('ErasureRefused')),
      revokeGoogle: throws(unknownFailure()),
      deleteFirebaseUser: throws(failure('ErasureRefused', { code: 'user_kept' })),
      releaseProviderOrders: throws(failure('ErasureRefused', { code: 'order_kept' })),
      sendFarewell: throws(failure('ErasureRefused', { code: 'refused' })),
      noteBackupsGone: throws(failure('ErasureRefused', { code: 'backup_kept' })),
      redactAtStripe: throws(failure('ErasureRefused', { code: 'too_young' })),
      completeDeletion: () => ({ complete: false }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-that-was-cancelled': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'mail'] }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('sendFarewell')
      await run.handle.cancel()
      await run.forward('91 days')
    },
  })),
  'account-deletion-verified-before-the-list': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'temporal'] }),
      deleteRuns: inTurn(
        { state: 'pending' },
        { state: 'pending' },
        failure('ErasureIncomplete', { code: 'listed_1' }),
        failure('ErasureIncomplete', { code: 'listed_1' }),
        { state: 'done' },
      ),
      verifyErasure: inTurn({ state: 'pending' }, { state: 'done' }),
      completeDeletion: () => ({ complete: true }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-tried-again': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'firebase', 'stripe', 'backups'] }),
      settlePayments: inTurn(failure('PaymentRefused', { code: 'refused' }), { watch: true }, { watch: false }),
      deleteFirebaseUser: inTurn(failure('ErasureRefused', { code: 'user_kept' }), { state: 'done' }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('leaveToOperator', 2)
      await run.called('deleteFirebaseUser')
      await run.forward('1 day')
      await run.signal(tryAgain, { processor: 'firebase' })
      await run.called('deleteFirebaseUser', 2)
      await run.signal(tryAgain, { processor: 'stripe' })
      await run.called('deleteStripeCustomer')
      await run.forward('91 days')
    },
  })),
  'account-deletion-that-looks-at-runs-alone': rare(() => ({
    begins: aDeletion(),
    answers: {
      // An earlier run has verified the database.
      eraseAccount: () => ({ ...erasure(), pending: ['temporal', 'backups'] }),
      deleteRuns: () => ({ state: 'done' }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('deleteRuns')
      await run.forward('91 days')
    },
  })),
  'account-deletion-whose-verification-is-refused': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'temporal', 'backups'] }),
      verifyErasure: throws(unknownFailure()),
      deleteRuns: () => ({ state: 'done' }),
      completeDeletion: () => ({ complete: false }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-tried-twice-at-once': rare(() => {
    const firebase = gate()
    return {
      begins: aDeletion(),
      answers: {
        eraseAccount: () => ({ ...erasure(), pending: ['backups'] }),
        deleteFirebaseUser: async () => {
          await firebase.opened
          return { state: 'done' }
        },
        settlePayments: inTurn({ watch: true }, { watch: false }),
        completeDeletion: () => ({ complete: true }),
      },
      async play(run) {
        for (let time = 0; time < 2; time += 1) await run.signal(tryAgain, { processor: 'firebase' })
        // The payments are looked at further in a run that found their step no longer pending.
        await run.signal(tryAgain, { processor: 'stripe' })
        await run.called('deleteStripeCustomer')
        firebase.open()
        await run.forward('91 days')
        await run.called('settlePayments', 2)
      },
    }
  }),
  'account-deletion-tried-again-while-its-refunds-are-looked-at': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['stripe', 'backups'] }),
      settlePayments: inTurn({ watch: true }, processorIsAway(), { watch: true }, { watch: true }, { watch: false }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('deleteStripeCustomer')
      await run.forward('25 hours')
      await run.called('settlePayments', 2)
      for (let time = 0; time < 2; time += 1) await run.signal(tryAgain, { processor: 'stripe' })
      await run.forward('91 days')
      await run.called('deleteStripeCustomer', 2)
    },
  })),
  'account-deletion-whose-look-at-refunds-comes-while-they-are-tried': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['stripe', 'backups'] }),
      settlePayments: inTurn({ watch: true }, processorIsAway(), processorIsAway(), { watch: true }, { watch: false }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('deleteStripeCustomer')
      await run.forward('23 hours')
      await run.signal(tryAgain, { processor: 'stripe' })
      await run.called('settlePayments', 2)
      await run.forward('91 days')
    },
  })),
  'account-deletion-whose-look-at-runs-is-refused': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['temporal', 'backups'] }),
      deleteRuns: throws(unknownFailure()),
      completeDeletion: () => ({ complete: false }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-whose-last-look-at-runs-is-refused': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'temporal', 'backups'] }),
      deleteRuns: inTurn({ state: 'done' }, { state: 'done' }, unknownFailure()),
      verifyErasure: () => ({ state: 'done' }),
      completeDeletion: () => ({ complete: false }),
    },
    play: (run) => run.forward('91 days'),
  })),
  'account-deletion-whose-runs-are-refused-twice': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['temporal', 'backups'] }),
      deleteRuns: ({ final }) => {
        if (final) throw unknownFailure()
        return { state: 'done' }
      },
      verifyErasure: () => ({ state: 'done' }),
      completeDeletion: () => ({ complete: false }),
    },
    async play(run) {
      await run.called('leaveToOperator')
      await run.signal(tryAgain, { processor: 'database' })
      await run.forward('91 days')
    },
  })),
  'account-deletion-whose-runs-are-tried-before-its-verification-ends': rare(() => ({
    begins: aDeletion(),
    answers: {
      eraseAccount: () => ({ ...erasure(), pending: ['database', 'backups'] }),
      deleteRuns: () => ({ state: 'done' }),
      verifyErasure: () => ({ state: 'done' }),
      completeDeletion: () => ({ complete: true }),
    },
    async play(run) {
      await run.called('verifyErasure')
      await run.signal(tryAgain, { processor: 'temporal' })
      await run.forward('91 days')
    },
  })),
  'account-deletion-refused-to-its-caller': rare(() => ({
    begins: { ...aDeletion(), update: erased },
    answers: { eraseAccount: () => 'in_use' },
  })),
}

const aBreach = (dueAt = inDays(3)) =>
  ({ type: breachType, args: [{ breachId: randomUUID(), authorityDueAt: dueAt }] }) as const
const tell: BreachDecisions = { authoritySettled: false, people: 'tell' }
const undecided: BreachDecisions = { authoritySettled: false, people: 'undecided' }
const settled: BreachDecisions = { authoritySettled: true, people: 'told' }

export const rareBreaches: Record<string, Scenario> = {
  'breach-of-many-people': rare(() => {
    let pages = 0
    return {
      begins: aBreach(inDays(-2)),
      answers: {
        openBreach: () => ({ readUntil: inDays(-3) }),
        readDecisions: () => (pages > 100 ? settled : tell),
        remindOfBreach: throws(failure('ErasureRefused', { code: 'refused' })),
        tellPeople: async () => {
          pages += 1
          return { told: 5, left: pages <= 100 }
        },
      },
    }
  }),
  'breach-told-in-a-second-attempt': rare(() => ({
    begins: { ...aBreach(), update: breachOpened },
    answers: {
      openBreach: () => ({ readUntil: inDays(0) }),
      readDecisions: inTurn(undecided, tell, tell, { ...settled, people: 'undecided' }, settled),
      tellPeople: inTurn({ told: 5, left: true }, failure('ErasureRefused'), { told: 2, left: false }),
    },
    async play(run) {
      await run.update(recorded)
      await run.forward('1 minute')
      await run.shows('stuck')
      await run.update(recorded)
      await run.called('recordPeopleTold')
      await run.update(recorded)
    },
  })),
  'breach-whose-people-are-told-while-it-is-late': rare(() => ({
    begins: aBreach(inDays(-1)),
    answers: {
      openBreach: () => true,
      readDecisions: inTurn(undecided, undecided, tell, { authoritySettled: false, people: 'told' }, settled),
      remindOfBreach: inTurn(undefined, unknownFailure(), undefined),
      tellPeople: () => ({ told: 2, left: false }),
    },
    async play(run) {
      await run.shows('late')
      await run.update(recorded)
      await run.called('recordPeopleTold')
      await run.forward('2 days')
    },
  })),
  'breach-entered-after-its-first-reminder': rare(() => ({
    begins: aBreach(inDays(42 / 24)),
    answers: {
      openBreach: () => ({ readUntil: inDays(-1) }),
      readDecisions: inTurn(undecided, undecided, settled),
    },
    async play(run) {
      await run.called('remindOfBreach')
      await run.forward('1 day')
    },
  })),
  'breach-lost-with-the-database': rare(() => ({
    begins: { ...aBreach(), update: breachOpened },
    answers: { openBreach: () => false },
  })),
  'breach-lost-while-it-is-open': rare(() => ({
    begins: aBreach(),
    answers: {
      openBreach: () => ({ readUntil: inDays(-1) }),
      readDecisions: inTurn({ authoritySettled: true, people: 'undecided' }, null),
    },
    play: (run) => run.forward('25 hours'),
  })),
}

const aRequest = (receivedAt = inDays(0), extended?: true) =>
  ({
    type: privacyRequestType,
    args: [{ requestId: randomUUID(), receivedAt, draft: true, ...(extended && { extended }) }],
  }) as const
const known: Answers = {
  openRequest: () => true,
  acknowledgeRequest: () => 'sent',
  takeAnswer: () => true,
  recordAnswer: () => true,
  sendAnswer: () => 'sent',
  urgeOperators: () => 'sent',
  tellOfExtension: () => 'sent',
}
const answer = () => ({ answerKind: 'granted', byMail: true, answerId: randomUUID() }) as const

export const rareRequests: Record<string, Scenario> = {
  'privacy-request-of-nobody-who-waits': rare(() => ({
    begins: { ...aRequest(), update: requestOpened },
    answers: { openRequest: () => false },
  })),
  'privacy-request-gone-before-its-acknowledgement': rare(() => ({
    begins: aRequest(),
    answers: { ...known, acknowledgeRequest: () => 'gone' },
  })),
  'privacy-request-never-acknowledged': rare(() => ({
    begins: aRequest(),
    answers: { ...known, acknowledgeRequest: throws(unknownFailure()) },
    async play(run) {
      await run.called('reportUnreachable')
      await run.update(resolve, answer())
      await run.shows('answered')
      await run.forward('91 days')
    },
  })),
  'privacy-request-gone-before-its-answer': rare(() => ({
    begins: aRequest(),
    answers: { ...known, sendAnswer: () => 'gone' },
    async play(run) {
      await run.called('acknowledgeRequest')
      await run.update(resolve, answer())
    },
  })),
  'privacy-request-gone-while-it-is-answered': rare(() => ({
    begins: aRequest(),
    answers: { ...known, recordAnswer: () => false },
    async play(run) {
      await run.called('acknowledgeRequest')
      await run.update(resolve, { ...answer(), byMail: false })
    },
  })),
  'privacy-request-answered-twice-at-once': rare(() => {
    const database = gate()
    return {
      begins: aRequest(),
      answers: {
        ...known,
        takeAnswer: notLocally(async () => {
          await database.opened
          return true
        }),
      },
      async play(run) {
        await run.called('acknowledgeRequest')
        await run.begin(resolve, answer())
        await run.called('takeAnswer', triesBeforeRegular + 1)
        await run.begin(resolve, answer())
        database.open()
        await run.shows('answered')
        await run.forward('91 days')
      },
    }
  }),
  'privacy-request-refused-by-the-mailbox-too-late': rare(() => ({
    begins: aRequest(inDays(-40)),
    answers: {
      ...known,
      urgeOperators: throws(unknownFailure()),
      sendAnswer: inTurn('failed', unknownFailure(), 'sent'),
    },
    async play(run) {
      await run.shows('late')
      await run.update(resolve, answer())
      await run.called('reportUnreachable')
      await run.shows('late')
      await run.forward('8 days')
      await run.update(resolve, answer())
      await run.called('reportUnreachable', 2)
      await run.shows('late')
      await run.update(resolve, answer())
      await run.shows('answered')
      await run.forward('91 days')
    },
  })),
  'privacy-request-extended-in-a-run-that-is-gone': rare(() => ({
    begins: aRequest(inDays(-40), true),
    answers: known,
    async play(run) {
      await run.called('acknowledgeRequest')
      await run.forward('35 days')
      await run.called('urgeOperators')
      await run.update(resolve, answer())
      await run.shows('answered')
      await run.forward('91 days')
    },
  })),
  'privacy-request-whose-extension-is-told-again': rare(() => ({
    begins: aRequest(inDays(-40), true),
    answers: known,
    async play(run) {
      await run.called('tellOfExtension')
      await run.update(resolve, answer())
      await run.shows('answered')
      await run.forward('91 days')
    },
  })),
  'privacy-request-gone-after-its-extension': rare(() => ({
    begins: aRequest(),
    answers: { ...known, tellOfExtension: () => 'gone' },
    async play(run) {
      await run.called('acknowledgeRequest')
      await run.update(extend, { reason: 'number_of_requests' })
    },
  })),
  'privacy-request-gone-before-its-reminder': rare(() => ({
    begins: aRequest(),
    answers: { ...known, urgeOperators: () => 'gone' },
    play: (run) => run.forward('15 days'),
  })),
  'privacy-request-that-was-cancelled': rare(() => ({
    begins: aRequest(),
    answers: { ...known, acknowledgeRequest: throws(failure('MailUnavailable', { nextRetryDelay: day })) },
    async play(run) {
      await run.called('acknowledgeRequest')
      await run.handle.cancel()
    },
  })),
}

const aChange = (expiresAt = inDays(1)) =>
  ({ type: emailChangeType, args: [{ changeId: randomUUID(), expiresAt, draft: true }] }) as const
const mailed: Answers = {
  openEmailChange: () => 'open',
  askForConfirmation: () => 'sent',
  applyEmailChange: () => 'changed',
}

export const rareChanges: Record<string, Scenario> = {
  'email-change-of-nobody-who-waits': rare(() => ({
    begins: { ...aChange(), update: changeOpened },
    answers: { openEmailChange: () => 'gone' },
  })),
  'email-change-made-by-a-run-that-is-gone': rare(() => ({
    begins: { ...aChange(inDays(-1)), update: changeOpened },
    answers: { ...mailed, openEmailChange: () => 'changed' },
  })),
  'email-change-gone-before-its-mails': rare(() => ({
    begins: aChange(),
    answers: { ...mailed, askForConfirmation: () => 'gone' },
  })),
  'email-change-that-reaches-nobody': rare(() => ({
    begins: aChange(),
    answers: { ...mailed, askForConfirmation: inTurn('failed', unknownFailure()) },
    async play(run) {
      await run.called('reportUnreachableSide', 2)
      await run.forward('25 hours')
    },
  })),
  'email-change-whose-old-address-cannot-be-told': rare(() => ({
    begins: aChange(),
    answers: { ...mailed, tellOldAddress: throws(unknownFailure()) },
    async play(run) {
      await run.called('askForConfirmation', 2)
      await run.update(confirmEmail, { side: 'new' })
      await run.update(confirmEmail, { side: 'old' })
    },
  })),
  'email-change-gone-while-it-is-confirmed': rare(() => ({
    begins: aChange(),
    answers: { ...mailed, applyEmailChange: () => 'gone' },
    async play(run) {
      await run.called('askForConfirmation', 2)
      await run.update(confirmEmail, { side: 'old' })
      await run.update(confirmEmail, { side: 'new' })
    },
  })),
  'email-change-cancelled-while-it-is-made': rare(() => {
    const database = gate()
    return {
      begins: aChange(),
      answers: {
        ...mailed,
        applyEmailChange: notLocally(async () => {
          await database.opened
          return 'changed' as const
        }),
      },
      async play(run) {
        await run.called('askForConfirmation', 2)
        await run.update(confirmEmail, { side: 'old' })
        await run.begin(confirmEmail, { side: 'new' })
        await run.called('applyEmailChange', triesBeforeRegular + 1)
        await run.update(cancelEmailChange, { status: 'cancelled' })
        database.open()
      },
    }
  }),
  'email-change-made-as-it-expires': rare(() => {
    // A fast-forward makes the next attempt at once.
    const away = () => failure('ProviderUnavailable', { nextRetryDelay: day })
    return {
      begins: aChange(inDays(0.5)),
      answers: {
        ...mailed,
        applyEmailChange: notLocally(inTurn<'changed'>(away(), away(), async () => 'changed')),
      },
      async play(run) {
        await run.called('askForConfirmation', 2)
        await run.update(confirmEmail, { side: 'old' })
        await run.begin(confirmEmail, { side: 'new' })
        await run.called('applyEmailChange', triesBeforeRegular)
        await run.forward('49 hours')
      },
    }
  }),
  'email-change-cancelled-while-its-mails-are-sent': rare(() => {
    const mailServer = gate()
    return {
      begins: aChange(),
      answers: {
        ...mailed,
        askForConfirmation: inTurn(
          async () => {
            await mailServer.opened
            return 'gone'
          },
          async () => {
            await mailServer.opened
            return 'failed'
          },
        ),
      },
      async play(run) {
        await run.called('askForConfirmation', 2)
        await run.update(cancelEmailChange, { status: 'replaced' })
        mailServer.open()
      },
    }
  }),
  'email-change-that-was-cancelled-from-outside': rare(() => ({
    begins: aChange(),
    answers: { ...mailed, askForConfirmation: throws(failure('MailUnavailable', { nextRetryDelay: day })) },
    async play(run) {
      await run.called('askForConfirmation', 2)
      await run.handle.cancel()
    },
  })),
}

const anUnusedAccount = () => ({ type: accountInactivityType, args: [{ accountId: randomUUID() }] }) as const
const unused = (over: Answers = {}): Answers => ({
  beginInactivity: () => ({ lastActiveAt: inDays(-1_000), firstWarnedAt: inDays(-20), deletesAt: inDays(40) }),
  stillInactive: () => 'inactive',
  sendFirstWarning: () => ({ lastActiveAt: inDays(-1_000), firstWarnedAt: inDays(0), deletesAt: inDays(60) }),
  deleteUnused: () => 'deleting',
  ...over,
})

export const rareInactivities: Record<string, Scenario> = {
  'account-inactivity-cancelled-while-it-warns': rare(() => ({
    begins: anUnusedAccount(),
    answers: unused({ sendLaterWarning: throws(failure('MailUnavailable', { nextRetryDelay: day })) }),
    async play(run) {
      await run.forward('11 days')
      await run.called('sendLaterWarning')
      await run.handle.cancel()
    },
  })),
  'account-inactivity-whose-warning-is-refused': rare(() => ({
    begins: anUnusedAccount(),
    answers: unused({
      sendLaterWarning: throws(unknownFailure()),
      stillInactive: inTurn('inactive', 'inactive', 'inactive', 'active'),
    }),
    play: (run) => run.forward('35 days'),
  })),
  'account-inactivity-used-before-the-first-warning': rare(() => ({
    begins: anUnusedAccount(),
    answers: unused({
      beginInactivity: () => ({ lastActiveAt: inDays(-1_000), firstWarnedAt: null, deletesAt: inDays(62) }),
      stillInactive: inTurn('active'),
    }),
  })),
  'account-inactivity-used-at-the-last-moment': rare(() => ({
    begins: anUnusedAccount(),
    answers: unused({
      beginInactivity: () => ({ lastActiveAt: inDays(-1_000), firstWarnedAt: inDays(-60), deletesAt: inDays(-1) }),
      deleteUnused: () => 'active',
    }),
  })),
  'account-inactivity-used-while-it-waits-to-be-deleted': rare(() => ({
    begins: anUnusedAccount(),
    answers: unused({
      beginInactivity: () => ({ lastActiveAt: inDays(-1_000), firstWarnedAt: inDays(-60), deletesAt: inDays(1) }),
      stillInactive: inTurn('inactive', 'gone'),
    }),
    play: (run) => run.forward('2 days'),
  })),
}
