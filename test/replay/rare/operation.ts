/** Rare ends of campaigns, policy notices, key rotations, retries of events, and of what runs each night. */
import { randomUUID } from 'node:crypto'
import { milliseconds } from '../../../policy/periods.ts'
import { failure } from '../../../shared/failures.ts'
import { backupType } from '../../../workflows/backup/backup.contract.ts'
import { restoreType } from '../../../workflows/backup/restore.contract.ts'
import {
  opened as campaignOpened,
  campaignType,
  cancelCampaign,
  pause,
  resume,
} from '../../../workflows/campaign.contract.ts'
import { catalogueSyncType } from '../../../workflows/catalogue/catalogue-sync.contract.ts'
import { eventRetriesType, lookAgain } from '../../../workflows/events/event-retries.contract.ts'
import { keyRotationType, opened as rotationOpened } from '../../../workflows/keys/key-rotation.contract.ts'
import { policyNoticeType, post, withdraw } from '../../../workflows/policy-notice.contract.ts'
import { type Compared, reconciliationType } from '../../../workflows/reconciliation/reconciliation.contract.ts'
import { invoiceRetentionType } from '../../../workflows/retention/invoice-retention.contract.ts'
import type { Scenario } from '../scenario.ts'
import { type Answers, gate, inTurn, rare, throws, unknownFailure } from './played-run.ts'

const { day } = milliseconds
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString()

const aCampaign = () => ({ type: campaignType, args: [{ campaignId: randomUUID(), draft: true }] }) as const
const page = { lookedAt: 20, sent: 10, stopped: false }

export const rareCampaigns: Record<string, Scenario> = {
  'campaign-of-many-pages': rare(() => ({
    begins: aCampaign(),
    answers: {
      openCampaign: () => true,
      planCampaign: () => ({ pages: 201 }),
      sendCampaignPage: () => page,
    },
  })),
  'campaign-of-nothing-that-somebody-waits-for': rare(() => ({
    begins: { ...aCampaign(), update: campaignOpened },
    answers: { openCampaign: () => false },
  })),
  'campaign-stuck-and-resumed': rare(() => ({
    begins: aCampaign(),
    answers: {
      openCampaign: () => true,
      planCampaign: () => ({ pages: 2 }),
      sendCampaignPage: inTurn(page, failure('ErasureRefused'), { ...page, stopped: true }, page),
    },
    async play(run) {
      await run.called('reportStuckCampaign')
      await run.update(resume)
    },
  })),
  'campaign-cancelled-while-it-is-paused': rare(() => {
    const mailServer = gate()
    return {
      begins: aCampaign(),
      answers: {
        openCampaign: () => true,
        planCampaign: () => ({ pages: 2 }),
        sendCampaignPage: async () => {
          await mailServer.opened
          return { ...page, stopped: true }
        },
      },
      async play(run) {
        await run.called('sendCampaignPage')
        await run.update(pause)
        mailServer.open()
        await run.answered('sendCampaignPage')
        await run.update(cancelCampaign)
      },
    }
  }),
}

const aVersion = () => ({ type: policyNoticeType, args: [{ version: `v-${randomUUID()}` }] }) as const
const aPostedVersion = () =>
  ({ type: policyNoticeType, args: [{ version: `v-${randomUUID()}`, posted: true }] }) as const
const effectiveAt = inDays(40)
const posted: Answers = {
  postPolicy: () => ({ effectiveAt }),
  withdrawPolicy: () => ({ state: 'withdrawn' }),
  mailPolicyPage: () => ({ sent: 1, failed: 0, due: 0 }),
}

export const rareNotices: Record<string, Scenario> = {
  'policy-notice-of-many-pages': rare(() => ({
    begins: aVersion(),
    answers: {
      ...posted,
      nextPolicyStep: inTurn(
        { step: 'mail', notice: 'announced', pages: 101, effectiveAt },
        { step: 'end', status: 'in_force', effectiveAt },
      ),
    },
  })),
  'policy-notice-of-as-many-pages-as-a-run-takes': rare(() => ({
    begins: aVersion(),
    answers: {
      ...posted,
      nextPolicyStep: inTurn(
        { step: 'mail', notice: 'announced', pages: 100, effectiveAt },
        { step: 'end', status: 'in_force', effectiveAt },
      ),
    },
  })),
  'policy-notice-posted-by-a-run-that-is-gone': rare(() => ({
    begins: { ...aPostedVersion(), update: post },
    answers: {
      ...posted,
      nextPolicyStep: inTurn(
        { step: 'mail', notice: 'announced', pages: 1, effectiveAt },
        { step: 'wait', until: inDays(0) },
        { step: 'end', status: 'in_force', effectiveAt },
      ),
    },
    play: (run) => run.forward('1 hour'),
  })),
  'policy-notice-posted-and-withdrawn-in-a-run-that-is-gone': rare(() => ({
    begins: aPostedVersion(),
    answers: {
      ...posted,
      nextPolicyStep: inTurn(
        { step: 'mail', notice: 'withdrawn', pages: 2, effectiveAt },
        { step: 'end', status: 'withdrawn', effectiveAt },
      ),
    },
  })),
  'policy-notice-moved-twice': rare(() => ({
    begins: { ...aVersion(), update: post },
    answers: {
      ...posted,
      nextPolicyStep: inTurn(
        { step: 'mail', notice: 'announced', pages: 2, effectiveAt },
        { step: 'mail', notice: 'moved:1', pages: 1, effectiveAt },
        { step: 'mail', notice: 'moved:1', pages: 1, effectiveAt },
        { step: 'wait', until: inDays(0) },
        { step: 'end', status: 'in_force', effectiveAt },
      ),
    },
    play: (run) => run.forward('1 hour'),
  })),
  'policy-notice-withdrawn-while-its-step-is-looked-up': rare(() => {
    const database = gate()
    return {
      begins: aVersion(),
      answers: {
        ...posted,
        nextPolicyStep: inTurn(
          async () => {
            await database.opened
            return { step: 'wait', until: effectiveAt }
          },
          { step: 'mail', notice: 'withdrawn', pages: 1, effectiveAt },
          { step: 'end', status: 'withdrawn', effectiveAt },
        ),
      },
      async play(run) {
        await run.called('nextPolicyStep')
        await run.update(withdraw)
        database.open()
      },
    }
  }),
  'policy-notice-withdrawn-too-late': rare(() => {
    const database = gate()
    return {
      begins: aVersion(),
      answers: {
        ...posted,
        withdrawPolicy: () => ({ state: 'in_force' }),
        nextPolicyStep: async () => {
          await database.opened
          return { step: 'end', status: 'in_force', effectiveAt }
        },
      },
      async play(run) {
        await run.called('nextPolicyStep')
        await run.update(withdraw)
        database.open()
      },
    }
  }),
  'policy-notice-withdrawn-twice': rare(() => {
    const mailServer = gate()
    return {
      begins: aVersion(),
      answers: {
        ...posted,
        nextPolicyStep: inTurn(
          { step: 'wait', until: effectiveAt },
          { step: 'mail', notice: 'withdrawn', pages: 2, effectiveAt },
          { step: 'end', status: 'withdrawn', effectiveAt },
        ),
        mailPolicyPage: async () => {
          await mailServer.opened
          return { sent: 1, failed: 0, due: 0 }
        },
      },
      async play(run) {
        await run.shows('waiting')
        await run.update(withdraw)
        await run.called('mailPolicyPage')
        await run.update(withdraw)
        mailServer.open()
      },
    }
  }),
  'policy-notice-not-posted': rare(() => ({
    begins: { ...aVersion(), update: post },
    answers: { postPolicy: throws(failure('PolicyStateConflict')) },
  })),
  'policy-notice-not-posted-for-an-unknown-reason': rare(() => ({
    begins: { ...aVersion(), update: post },
    answers: { postPolicy: throws(unknownFailure()) },
  })),
}

const aRotation = () =>
  ({
    type: keyRotationType,
    args: [{ rotationId: randomUUID(), purpose: 'field', toKey: 'new', draft: true }],
  }) as const

export const rareRotations: Record<string, Scenario> = {
  'key-rotation-of-many-pages': rare(() => ({
    begins: { ...aRotation(), update: rotationOpened },
    answers: {
      openRotation: () => 'opened',
      planRotation: () => ({ pages: 101 }),
      rewrapDataKeys: () => ({ rewrapped: 7 }),
      countUnderOldKeys: () => 0,
      retireOldKeys: () => 'retired',
    },
  })),
  'key-rotation-refused-to-its-caller': rare(() => ({
    begins: { ...aRotation(), update: rotationOpened },
    answers: { openRotation: () => 'running' },
  })),
  'key-rotation-of-nothing-that-somebody-waits-for': rare(() => ({
    begins: { ...aRotation(), update: rotationOpened },
    answers: { openRotation: () => 'gone' },
  })),
  'key-rotation-of-keys-in-use': rare(() => ({
    begins: aRotation(),
    answers: {
      openRotation: () => 'opened',
      planRotation: () => ({ pages: 2 }),
      rewrapDataKeys: () => ({ rewrapped: 7 }),
      countUnderOldKeys: inTurn(5, 3, 1, 0),
      retireOldKeys: inTurn('in_use', 'in_snapshot', 'retired'),
    },
    play: (run) => run.forward('3 hours'),
  })),
}

const anEndpoint = () => ({ type: eventRetriesType, args: [{ endpointId: randomUUID() }] }) as const

export const rareRetries: Record<string, Scenario> = {
  'event-retries-asked-again-at-the-end': rare(() => {
    const receiver = gate()
    return {
      begins: anEndpoint(),
      answers: {
        retryEvents: inTurn(
          async () => {
            await receiver.opened
            return { nextAt: null }
          },
          { nextAt: inDays(1) },
          { nextAt: null },
        ),
      },
      async play(run) {
        await run.called('retryEvents')
        await run.signal(lookAgain)
        receiver.open()
        await run.called('retryEvents', 2)
        await run.answered('retryEvents')
        await run.signal(lookAgain)
      },
    }
  }),
  'event-retries-of-many-rounds': rare(() => {
    let rounds = 0
    return {
      begins: anEndpoint(),
      answers: {
        retryEvents: async () => {
          rounds += 1
          return { nextAt: rounds > 200 ? null : inDays(0) }
        },
      },
    }
  }),
}

const compared: Compared = {
  records: 7,
  explained: { paid_not_settled: { in_flight: 2, in_review: 1 }, invoice_missing: { erased_person: 3 } },
}
const openBooks: Answers = {
  openReconciliation: () => ({ from: inDays(-35) }),
  comparePayments: () => compared,
  compareRefunds: () => compared,
  compareOlderPayments: () => ({ records: 1, explained: { paid_not_settled: { in_flight: 5, not_ours: 1 } } }),
  compareDisputes: () => compared,
  compareProcessorBalance: () => ({ ...compared, sums: [] }),
  comparePayouts: () => compared,
  compareProvider: () => compared,
  readProviderBalances: () => ({ ...compared, balances: [] }),
  readBackupStore: () => ({ files: 9 }),
  closeReconciliation: ({ findings }) => ({ ...findings, unexplained: {} }),
}

export const rareNights: Record<string, Scenario> = {
  'reconciliation-with-explanations': rare(() => ({
    begins: { type: reconciliationType, args: [] },
    answers: {
      ...openBooks,
      compareProcessorBalance: () => ({
        ...compared,
        sums: [
          {
            currency: 'EUR',
            grossMinor: 1,
            refundsMinor: 2,
            disputesMinor: 3,
            feesMinor: 4,
            otherMinor: 5,
            payoutsMinor: 6,
            openingMinor: 7,
            closingMinor: 8,
            remainderMinor: 9,
          },
        ],
      }),
      readProviderBalances: () => ({
        ...compared,
        balances: [{ provider: 'airalo', currency: 'USD', balanceMicros: 7, daysLeft: null }],
      }),
    },
  })),
  'reconciliation-without-two-parties': rare(() => ({
    begins: { type: reconciliationType, args: [] },
    answers: {
      ...openBooks,
      readBackupStore: throws(unknownFailure()),
      comparePayouts: throws(unknownFailure()),
      compareDisputes: throws(unknownFailure()),
    },
  })),
  'reconciliation-without-balances': rare(() => ({
    begins: { type: reconciliationType, args: [] },
    answers: {
      ...openBooks,
      compareProcessorBalance: throws(unknownFailure()),
      readProviderBalances: throws(unknownFailure()),
    },
  })),
  'reconciliation-that-was-cancelled': rare(() => {
    const processor = gate()
    return {
      begins: { type: reconciliationType, args: [] },
      answers: {
        ...openBooks,
        comparePayments: async () => {
          await processor.opened
          return compared
        },
      },
      async play(run) {
        await run.called('comparePayments')
        await run.answered('readBackupStore')
        await run.handle.cancel()
        processor.open()
      },
    }
  }),
  'backup-not-made-in-time': rare(() => ({
    begins: { type: backupType, args: [] },
    answers: { makeBackup: throws(unknownFailure()), pruneBackups: () => ({ pruned: 3 }) },
  })),
  'backup-that-was-cancelled': rare(() => {
    const database = gate()
    return {
      begins: { type: backupType, args: [] },
      answers: {
        makeBackup: async () => {
          await database.opened
          return { bytes: 7 }
        },
        pruneBackups: () => ({ pruned: 3 }),
      },
      async play(run) {
        await run.called('makeBackup')
        await run.handle.cancel()
        database.open()
      },
    }
  }),
  'catalogue-sync-without-any-provider': rare(() => ({
    begins: { type: catalogueSyncType, args: [] },
    answers: {
      syncCatalogue: inTurn(
        {
          outcomes: {
            'esim-access': { state: 'failed', code: 'timeout' },
            airalo: { state: 'failed', code: 'http_503' },
          },
          changes: { packagesAdded: 1, offersChanged: 2, offersWithdrawn: 3, putOnSale: 4, takenOffSale: 5 },
        },
        {
          outcomes: {
            'esim-access': { state: 'listed', packages: 7, leftOut: {} },
            airalo: { state: 'listed', packages: 8, leftOut: {} },
          },
          changes: { packagesAdded: 10, offersChanged: 20, offersWithdrawn: 30, putOnSale: 40, takenOffSale: 50 },
        },
      ),
    },
    play: (run) => run.forward('1 minute'),
  })),
  // As in the history of a build that has one provider less.
  'catalogue-sync-of-a-provider-added-later': rare(() => ({
    begins: { type: catalogueSyncType, args: [] },
    answers: {
      syncCatalogue: () => ({
        outcomes: { 'esim-access': { state: 'listed', packages: 7, leftOut: {} } },
        changes: { packagesAdded: 1, offersChanged: 2, offersWithdrawn: 3, putOnSale: 4, takenOffSale: 5 },
      }),
    },
    play: async () => undefined,
  })),
  'restore-of-esims-alone': rare(() => ({
    begins: { type: restoreType, args: [{ restoreId: randomUUID() }] },
    answers: {
      settleRestored: inTurn({ payments: 1, esims: 1 }, { payments: 0, esims: 1 }, { payments: 0, esims: 0 }),
      leaveRestoredToOperators: () => ({ undecided: 0 }),
    },
    play: (run) => run.forward('1 minute'),
  })),
  'invoice-retention-let-go-and-held-again': rare(() => ({
    begins: { type: invoiceRetentionType, args: [{ month: '2031-10' }] },
    answers: {
      purgeBooks: inTurn(
        { purged: { invoices: 2, orderFacts: 3 }, left: 1, held: true, nextPurgeAt: inDays(3) },
        { purged: { invoices: 5, orderFacts: 7 }, left: 0, held: true, nextPurgeAt: inDays(60) },
        { purged: { invoices: 0, orderFacts: 0 }, left: 0, held: false, nextPurgeAt: null },
      ),
    },
    play: (run) => run.forward('61 days'),
  })),
}
