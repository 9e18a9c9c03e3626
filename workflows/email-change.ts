/**
 * G2: a person can correct the e-mail address. Old and new address have to confirm, which prevents account takeover.
 */
import { ActivityFailure, allHandlersFinished, condition, patched, proxyActivities } from '@temporalio/workflow'
import { msUntil } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import {
  cancelEmailChange,
  confirmEmail,
  type EmailChangeActivities,
  type EmailChangeInput,
  type EmailChangeState,
  type EmailSide,
  emailChangeState,
  opened,
  waiveOldEmail,
} from './email-change.contract.ts'
import { inBackground } from './run/background-work.ts'
import { type BeforeDrafts, forTwoMinutes, untilRecorded } from './run/before-drafts.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { nothing, objectOf, oneOf, onQuery, onUpdate, shortText } from './run/messages.ts'
import { clock, now } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus, showStatusDetails } from './run/run-status.ts'

const localFirst = proxyLocalFirst<EmailChangeActivities>()
/** Whose address somebody else has changed hears of it, however late the change expires or the mail server is back. */
const { tellOldAddress } = proxyActivities<EmailChangeActivities>(retry.message)
const { moveSignIn } = proxyActivities<EmailChangeActivities>(retry.duty)

export async function emailChange({
  changeId,
  expiresAt,
  draft,
}: EmailChangeInput | (Omit<EmailChangeInput, 'draft'> & BeforeDrafts)): Promise<EmailChangeState> {
  const dueAt = new Date(expiresAt)
  const state: EmailChangeState = { status: 'open', confirmed: { old: false, new: false } }
  const afterwards: Promise<void>[] = []
  let isOpened = false
  const isOpen = () => state.status === 'open'
  takeMessages()
  showStatusDetails(runStatus())

  const outcome = await (draft ? localFirst.openEmailChange({ changeId }) : openBeforeDrafts())
  if (outcome !== 'open') state.status = outcome
  isOpened = true
  if (outcome === 'changed') followChange()
  else if (outcome !== 'open') {
    await condition(allHandlersFinished)
    return state
  } else {
    afterwards.push(inBackground(ask('old')), inBackground(ask('new')))
    const ended = await condition(() => !isOpen(), Math.max(1, msUntil(dueAt, now())))
    if (!ended) state.status = 'expired'
  }
  await condition(allHandlersFinished)
  showRunStatus()
  // `endEmailChange` deletes the old address, to which the last mail goes, and by which Firebase's is recognised.
  if (state.status === 'changed') await Promise.all(afterwards)
  if (state.status !== 'gone') await localFirst.endEmailChange({ changeId, status: state.status, ...clock() })
  await Promise.all(afterwards)
  return state

  function takeMessages(): void {
    onQuery(emailChangeState, () => state)
    onUpdate(opened, nothing, async () => {
      await condition(() => isOpened)
      return state
    })
    onUpdate(
      confirmEmail,
      objectOf<{ side: EmailSide }>({ side: oneOf(['old', 'new']) }),
      async ({ side }) => {
        await localFirst.recordConfirmation({ changeId, side, ...clock() })
        return confirm(side)
      },
      allow,
    )
    onUpdate(
      waiveOldEmail,
      objectOf<{ by: string }>({ by: shortText }),
      async ({ by }) => {
        await localFirst.recordConfirmation({ changeId, side: 'old', waivedBy: by, ...clock() })
        return confirm('old')
      },
      allow,
    )
    onUpdate(
      cancelEmailChange,
      objectOf<{ status: 'cancelled' | 'replaced' }>({ status: oneOf(['cancelled', 'replaced']) }),
      async ({ status }) => {
        state.status = status
        return state
      },
      allow,
    )
  }

  async function confirm(side: EmailSide): Promise<EmailChangeState> {
    state.confirmed[side] = true
    showRunStatus()
    if (!state.confirmed.old || !state.confirmed.new || !isOpen()) return state
    const outcome = await localFirst.applyEmailChange({ changeId, ...clock() })
    // The address is changed, although the change has expired, or was cancelled, while the database was away.
    if (isOpen() || (outcome === 'changed' && patched('changed-although-expired'))) state.status = outcome
    if (outcome === 'changed') followChange()
    return state
  }

  function followChange(): void {
    afterwards.push(inBackground(notifyOldAddress()))
    if (patched('sign-in-moved')) afterwards.push(inBackground(moveSignIn({ changeId, ...clock() })))
  }

  async function notifyOldAddress(): Promise<void> {
    await unlessGivenUp(() => tellOldAddress({ changeId, ...clock() }))
  }

  async function ask(side: EmailSide): Promise<void> {
    const reached = await unlessGivenUp(() => asking().askForConfirmation({ changeId, side, ...clock() }))
    if (reached === 'gone' && isOpen()) state.status = 'gone'
    if (reached !== 'sent' && reached !== 'gone' && isOpen()) {
      await localFirst.reportUnreachableSide({ changeId, side, ...clock() })
    }
  }

  /** Nobody is asked after the change has expired. */
  function asking() {
    const scheduleToCloseTimeout = Math.max(60_000, msUntil(dueAt, now()))
    return proxyActivities<EmailChangeActivities>({ ...retry.message, scheduleToCloseTimeout })
  }

  async function openBeforeDrafts(): Promise<'open' | 'gone'> {
    const find = () => localFirst.findEmailChange({ changeId })
    return (await untilRecorded('change', forTwoMinutes, find)) ? 'open' : 'gone'
  }

  function showRunStatus(): void {
    showStatus(runStatus())
  }

  function runStatus() {
    const missing = (['old', 'new'] as const).filter((side) => !state.confirmed[side])
    const waitingFor = isOpen() ? `the ${missing.join(' and the ')} address to confirm` : 'nothing'
    return { status: state.status, waitingFor, dueAt: isOpen() ? dueAt : null }
  }

  function allow(): void {
    if (!isOpen()) throw failure('EmailChangeStateConflict', { code: state.status })
  }
}

async function unlessGivenUp<Result>(work: () => Promise<Result>): Promise<Result | 'given_up'> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return 'given_up'
  }
}
