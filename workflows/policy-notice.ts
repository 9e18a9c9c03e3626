/**
 * N1 and N2: a new version of the policy is posted, mailed to all persons, and in force thirty days after the last
 * mail.
 */
import { allHandlersFinished, condition, continueAsNew, patched, proxyActivities } from '@temporalio/workflow'
import { periods } from '../policy/periods.ts'
import { msUntil, plusDays, plusMs } from '../shared/calendar.ts'
import { failure, failureCode, failureType } from '../shared/failures.ts'
import {
  type Mailing,
  type PolicyActivities,
  type PolicyNoticeInput,
  type PolicyNoticeState,
  type PolicyNoticeStatus,
  policyNoticeState,
  post,
  withdraw,
} from './policy-notice.contract.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { nothing, onQuery, onUpdate } from './run/messages.ts'
import * as retry from './run/retry.ts'
import { showStatus } from './run/run-status.ts'

const localFirst = proxyLocalFirst<PolicyActivities>()
const { nextPolicyStep, giveUpPolicyMails } = proxyActivities<PolicyActivities>({
  ...retry.untilDone,
  // one statement over all persons
  startToCloseTimeout: '10 minutes',
})
const { mailPolicyPage } = proxyActivities<PolicyActivities>({
  ...retry.duty,
  ...retry.manyRows,
  // The day on which the policy takes effect waits for each page, and the activity heartbeats every 3 s.
  heartbeatTimeout: '12 seconds',
})

/** About 50,000 accounts; keeps the history at six hundred events. */
const pagesPerRun = 100
const { askAgainAfterMs } = periods.policyNotice

export async function policyNotice({
  version,
  mailing: carriedOver,
  posted: wasPosted,
}: PolicyNoticeInput): Promise<PolicyNoticeState> {
  const state: PolicyNoticeState = { status: 'posting', effectiveAt: null, mailing: carriedOver ?? null }
  let posted = carriedOver !== undefined || wasPosted === true
  let failedWith: Error | undefined
  let withdrawn = false
  let lastPass: Pick<Mailing, 'notice' | 'pass'> | undefined
  let paused = false
  onQuery(policyNoticeState, () => state)
  onUpdate(post, nothing, async () => {
    await condition(() => posted || failedWith !== undefined)
    if (failedWith) throw failedWith
    return state
  })
  onUpdate(withdraw, nothing, async () => {
    // The row decides whether the withdrawal came before the version took effect.
    const { state: rowState } = await localFirst.withdrawPolicy({ version, asOf: clock() })
    if (rowState !== 'withdrawn') throw conflict(rowState)
    if (state.mailing?.notice !== 'withdrawn') state.mailing = null
    state.status = 'withdrawn'
    withdrawn = true
    return state
  })

  if (!posted) await postVersion()
  for (let pages = 0; ; ) {
    if (pages >= pagesPerRun && allHandlersFinished() && state.mailing) {
      return continueAsNew<typeof policyNotice>({ version, mailing: state.mailing })
    }
    if (state.mailing) {
      await mailPage(state.mailing)
      pages += 1
      continue
    }
    const wasWithdrawn: boolean = withdrawn
    const next = await nextPolicyStep({ version, asOf: clock() })
    // A withdrawal came while the step was looked up: it would be waited for, or people notified of the version, in
    // vain.
    if (next.step !== 'end' && withdrawn !== wasWithdrawn && patched('withdrawn-meanwhile')) continue
    if (next.step === 'end') {
      await condition(allHandlersFinished)
      return moveTo(next.status, 'nothing', null, next.effectiveAt)
    }
    if (next.step === 'wait') {
      moveTo('waiting', 'the day it takes effect', new Date(next.until), next.until)
      await waitForWithdrawal(msUntil(new Date(next.until), new Date()))
    } else {
      await beginPass(next.notice, next.pages, next.effectiveAt)
    }
  }

  /** Fails the run when the version cannot be posted: the caller may then start it again under the same id. */
  async function postVersion(): Promise<void> {
    try {
      state.effectiveAt = (await localFirst.postPolicy({ version, asOf: clock() })).effectiveAt
      posted = true
    } catch (error) {
      failedWith =
        failureType(error) === 'PolicyStateConflict' ? conflict(failureCode(error) ?? 'ended') : asError(error)
      await condition(allHandlersFinished)
      throw failedWith
    }
  }

  async function mailPage(mailing: Mailing): Promise<void> {
    const { notice, page, pages } = mailing
    await mailPolicyPage({ version, notice, page, pages })
    if (state.mailing !== mailing) return
    state.mailing = page + 1 < pages ? { ...mailing, page: page + 1 } : null
    if (state.mailing === null) lastPass = { notice, pass: mailing.pass }
  }

  /**
   * Begins the first pass at once. Before another pass it waits, and then asks for the next step again: the date may
   * have changed.
   */
  async function beginPass(notice: Mailing['notice'], pages: number, effectiveAt: string): Promise<void> {
    const pass = lastPass?.notice === notice ? lastPass.pass + 1 : 1
    const pauseMs = pass === 1 || paused ? 0 : askAgainAfterMs[pass - 2]
    if (pauseMs === undefined) {
      await giveUpPolicyMails({ version, notice, asOf: clock() })
    } else if (pauseMs > 0) {
      moveTo('telling', `another try (${notice})`, plusMs(new Date(), pauseMs), effectiveAt)
      await waitForWithdrawal(pauseMs)
      paused = true
    } else {
      paused = false
      const inTime = plusDays(new Date(effectiveAt), -periods.policyNotice.beforeEffectDays)
      moveTo('telling', `the mail server to take the notice (${notice})`, inTime, effectiveAt)
      state.mailing = { notice, pass, page: 0, pages }
    }
  }

  async function waitForWithdrawal(atMostMs: number): Promise<void> {
    const before = withdrawn
    await condition(() => withdrawn !== before, Math.max(1, atMostMs))
  }

  function moveTo(
    status: PolicyNoticeStatus,
    waitingFor: string,
    dueAt: Date | null,
    effectiveAt: string,
  ): PolicyNoticeState {
    Object.assign(state, { status, effectiveAt })
    showStatus({ status, waitingFor, dueAt })
    return state
  }
}

const clock = (): string => new Date().toISOString()
const conflict = (code: string) => failure('PolicyStateConflict', { code })
const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('something was thrown'))
