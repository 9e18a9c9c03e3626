/**
 * GDPR articles 33 and 34: the authority is notified of a breach within 72 hours, and the people without delay.
 * Operators decide and write; the run keeps the clock, reminds them with growing urgency, and mails the people.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  patched,
  proxyActivities,
  sleep,
} from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { msUntil, plusMs } from '../../shared/calendar.ts'
import { inBackground } from '../run/background-work.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { nothing, onQuery, onUpdate } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import {
  type BreachActivities,
  type BreachInput,
  type BreachState,
  type BreachStatus,
  type BreachUrgency,
  breachState,
  opened,
  recorded,
} from './breach.contract.ts'

const localFirst = proxyLocalFirst<BreachActivities>()
const { openBreach, countBreachAgain } = proxyActivities<BreachActivities>({
  ...retry.untilDone,
  // The activity reads the access log of ninety days.
  startToCloseTimeout: '2 minutes',
})
const { remindOfBreach } = proxyActivities<BreachActivities>(retry.message)
const { tellPeople } = proxyActivities<BreachActivities>({ ...retry.message, ...retry.manyRows })

const { authorityWithinMs, remindAfterMs, escalateAfterMs, lateReminderMs } = periods.breach
/** A read is on record before it is answered. */
const recordedWithinMs = 1_000
/** Of 500 people each: keeps the history at a few hundred events. */
const pagesPerRun = 100

export async function breach({ breachId, authorityDueAt, progress }: BreachInput): Promise<BreachState> {
  const dueAt = new Date(authorityDueAt)
  const state: BreachState = {
    status: 'open',
    authoritySettled: false,
    people: 'undecided',
    told: 0,
    reminded: 0,
    ...progress,
  }
  let isOpened = progress !== undefined
  const reminders: Promise<unknown>[] = []
  onQuery(breachState, () => state)
  onUpdate(opened, nothing, async () => {
    await condition(() => isOpened)
    return state
  })
  onUpdate(recorded, nothing, async () => {
    if (state.status === 'stuck') state.status = 'open'
    await readDecisions()
    return state
  })
  showStatusDetails({ status: 'open', waitingFor: 'the database', dueAt })

  const opening = isOpened || (await openBreach({ breachId }))
  if (!opening) state.status = 'gone'
  isOpened = true
  const counted = typeof opening === 'object' ? inBackground(countAgain(new Date(opening.readUntil))) : undefined
  await readDecisions()
  while (!isSettled()) {
    if (state.people === 'tell' && state.status !== 'stuck') {
      if ((await notifyPeople()) === 'continue') {
        await Promise.all(reminders)
        await condition(allHandlersFinished)
        const { told, reminded } = state
        return continueAsNew<typeof breach>({ breachId, authorityDueAt, progress: { told, reminded } })
      }
      continue
    }
    const due = nextReminder()
    showWaiting()
    const before = JSON.stringify(state)
    await condition(() => JSON.stringify(state) !== before, Math.max(1, msUntil(due.at, now())))
    if (now() < due.at) continue
    // The update about a recorded decision may not have reached the run.
    await readDecisions()
    if (!isSettled()) remind(due)
  }
  await Promise.all(reminders)
  if (state.status !== 'gone') {
    await counted
    await localFirst.closeBreach({ breachId, ...clock() })
    state.status = 'closed'
  } else if (patched('lost-breach')) {
    // Nobody deletes a breach: its row was lost with the database, and its clock goes on.
    await localFirst.reportLostBreach({ breachId, authorityDueAt, ...clock() })
  }
  showStatus({ status: state.status, waitingFor: 'nothing', dueAt: null })
  await condition(allHandlersFinished)
  return state

  /** Nobody is notified before, and the breach does not close before. */
  async function countAgain(readUntil: Date): Promise<void> {
    await sleep(msUntil(readUntil, now()) + recordedWithinMs, { summary: 'until no read is under way' })
    await countBreachAgain({ breachId, ...clock() })
  }

  async function readDecisions(): Promise<void> {
    const read = state.status === 'gone' ? null : await localFirst.readDecisions({ breachId })
    if (read) Object.assign(state, read)
    else state.status = 'gone'
  }

  function isSettled(): boolean {
    const peopleSettled = state.people === 'told' || state.people === 'not_required'
    return state.status === 'gone' || (state.authoritySettled && peopleSettled)
  }

  async function notifyPeople(): Promise<'done' | 'stuck' | 'continue'> {
    await counted
    showStatus({ status: 'telling', waitingFor: 'the mail server', dueAt: state.authoritySettled ? null : dueAt })
    try {
      for (let pages = 0; ; pages += 1) {
        if (pages === pagesPerRun) return 'continue'
        // The clock of the authority goes on while mails are sent.
        const due = nextReminder()
        if (now() >= due.at) remind(due)
        const { told, left } = await tellPeople({ breachId, ...clock() })
        state.told += told
        if (!left) break
      }
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      await localFirst.reportStuckBreach({ breachId, ...clock() })
      state.status = 'stuck'
      return 'stuck'
    }
    await localFirst.recordPeopleTold({ breachId, ...clock() })
    await readDecisions()
    return 'done'
  }

  function nextReminder(): { at: Date; urgency: BreachUrgency; number: number } {
    const awareAt = plusMs(dueAt, -authorityWithinMs)
    const planned = [
      ...remindAfterMs.map((ms) => ({ at: plusMs(awareAt, ms), urgency: 'reminder' as const })),
      { at: plusMs(awareAt, escalateAfterMs), urgency: 'escalation' as const },
      { at: dueAt, urgency: 'late' as const },
    ]
    // Of reminders that are overdue only the last is sent: a breach that was entered late gets one.
    // After days without a worker as well: not one for each day.
    const lateDays = Math.floor((now().getTime() - dueAt.getTime()) / lateReminderMs)
    let number = Math.max(state.reminded, lateDays < 0 ? 0 : planned.length - 1 + lateDays)
    while ((planned[number + 1]?.at ?? dueAt) <= now() && number + 1 < planned.length) number += 1
    const next = planned[number]
    if (next) return { ...next, number }
    return { at: plusMs(dueAt, (number - planned.length + 1) * lateReminderMs), urgency: 'late', number }
  }

  function remind({ urgency, number }: { urgency: BreachUrgency; number: number }): void {
    state.reminded = number + 1
    if (urgency === 'late' && !state.authoritySettled && state.status === 'open') state.status = 'late'
    const mail = remindOfBreach({ breachId, ...clock(), urgency, occasion: String(number) })
    reminders.push(inBackground(mail.catch(ignoreGivenUp)))
  }

  function showWaiting(): void {
    const waitingFor: Partial<Record<BreachStatus, string>> = {
      late: 'an operator to tell the authority, overdue',
      stuck: 'an operator to begin the mailing again',
    }
    const open = state.authoritySettled ? 'an operator to decide about the people' : 'an operator to tell the authority'
    const { status } = state
    showStatus({ status, waitingFor: waitingFor[status] ?? open, dueAt: state.authoritySettled ? null : dueAt })
  }
}

/** The operator task was made before the mail; the next reminder comes. */
function ignoreGivenUp(error: unknown): void {
  if (!(error instanceof ActivityFailure)) throw error
}
