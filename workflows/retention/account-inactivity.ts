/** R1: an account unused for three years is erased, after warnings 60, 30 and 7 days before. */
import { ActivityFailure, isCancellation, proxyActivities, sleep } from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusDays, plusMs } from '../../shared/calendar.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { onQuery } from '../run/messages.ts'
import { now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus } from '../run/run-status.ts'
import {
  type InactivityActivities,
  type InactivityInput,
  type InactivityState,
  type InactivityStatus,
  inactivityState,
} from './account-inactivity.contract.ts'

const localFirst = proxyLocalFirst<InactivityActivities>()
const { sendFirstWarning, deleteUnused } = proxyActivities<InactivityActivities>(retry.duty)

/** A step takes less in an ordinary outage. After that the run counts as lost and the sweep starts another one. */
const graceDays = 2
/**
 * The first warning is sent earlier by this, so that a mail which takes minutes does not move the deletion beyond three
 * years.
 */
const headStartMs = 3_600_000

export async function accountInactivity({ accountId }: InactivityInput): Promise<InactivityState> {
  const state: InactivityState = { status: 'waiting', waitingFor: 'the first check', dueAt: null, deletesAt: null }
  onQuery(inactivityState, () => state)
  const begun = await localFirst.beginInactivity({ accountId, asOf: now().toISOString() })
  if (begun === 'gone') return end('gone')
  const { lastActiveAt } = begun
  let { deletesAt } = begun
  const [firstDays, ...laterDays] = periods.account.warningsBeforeDays

  if (begun.firstWarnedAt === null) {
    const ended = await waitWhileInactive('waiting', 'the first warning', plusMs(daysBefore(firstDays), -headStartMs))
    if (ended) return end(ended)
    moveTo('warning', 'the mail server to take the first warning', null)
    deletesAt = (await sendFirstWarning({ accountId, lastActiveAt })).deletesAt
  }
  for (const [index, days] of laterDays.entries()) {
    const nextStep = daysBefore(laterDays[index + 1] ?? 0)
    if (now() >= nextStep) continue
    const ended = await waitWhileInactive('warned', `the warning ${days} days before`, daysBefore(days))
    if (ended) return end(ended)
    await sendWarningBefore(nextStep, days)
  }
  const ended = await waitWhileInactive('warned', 'the deletion', new Date(deletesAt))
  if (ended) return end(ended)
  return end(await deleteUnused({ accountId, lastActiveAt, asOf: now().toISOString() }))

  function daysBefore(days: number): Date {
    return plusDays(new Date(deletesAt), -days)
  }

  /** Returns undefined when the account is still inactive. */
  async function waitWhileInactive(
    status: InactivityStatus,
    waitingFor: string,
    until: Date,
  ): Promise<'active' | 'gone' | undefined> {
    moveTo(status, waitingFor, until)
    const checkBy = plusDays(until, graceDays).toISOString()
    const before = await localFirst.stillInactive({ accountId, lastActiveAt, checkBy, asOf: now().toISOString() })
    if (before !== 'inactive') return before
    await sleep(msUntil(until, now()), { summary: `until ${waitingFor}` })
    const after = await localFirst.stillInactive({ accountId, lastActiveAt, checkBy, asOf: now().toISOString() })
    return after === 'inactive' ? undefined : after
  }

  /**
   * A later warning that cannot be sent before the next step is due does not postpone it: the first warning was sent.
   */
  async function sendWarningBefore(nextStep: Date, days: number): Promise<void> {
    const { sendLaterWarning } = proxyActivities<InactivityActivities>({
      ...retry.duty,
      scheduleToCloseTimeout: Math.max(1, msUntil(nextStep, now())),
    })
    try {
      await sendLaterWarning({ accountId, lastActiveAt, daysBefore: days, deletesAt })
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
    }
  }

  function moveTo(status: InactivityStatus, waitingFor: string, dueAt: Date | null): void {
    Object.assign(state, { status, waitingFor, dueAt: dueAt?.toISOString() ?? null, deletesAt: deletesAt ?? null })
    showStatus({ status, waitingFor, dueAt })
  }

  function end(status: InactivityStatus): InactivityState {
    Object.assign(state, { status, waitingFor: 'nothing', dueAt: null })
    showStatus({ status, waitingFor: 'nothing', dueAt: null })
    return state
  }
}
