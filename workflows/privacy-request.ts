/** G6: a privacy request is answered within 30 days. Operators are reminded before, with growing urgency. */
import { ActivityFailure, allHandlersFinished, condition, patched, proxyActivities, sleep } from '@temporalio/workflow'
import { periods } from '../policy/periods.ts'
import { msUntil, plusDays } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import {
  type Answer,
  answerByOf,
  answerKinds,
  type ExtensionReason,
  extend,
  extensionReasons,
  opened,
  type PrivacyRequestActivities,
  type PrivacyRequestInput,
  type PrivacyRequestState,
  type PrivacyRequestStatus,
  privacyRequestState,
  type Reached,
  resolve,
  type Urgency,
} from './privacy-request.contract.ts'
import { inBackground } from './run/background-work.ts'
import { type BeforeDrafts, forTwoMinutes, untilRecorded, untilTaskCompletes } from './run/before-drafts.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { nothing, objectOf, oneOf, onQuery, onUpdate, optional, trueOrFalse, uuid } from './run/messages.ts'
import { clock, now } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus, showStatusDetails } from './run/run-status.ts'

const localFirst = proxyLocalFirst<PrivacyRequestActivities>()
const notify = proxyActivities<PrivacyRequestActivities>(retry.message)

const { answerWithinDays, remindAtDays, escalateAtDay, extensionDays, lateReminderDays, keepAnsweredDays } =
  periods.privacyRequest

export async function privacyRequest({
  requestId,
  receivedAt,
  draft,
  extended,
}: PrivacyRequestInput | (Omit<PrivacyRequestInput, 'draft'> & BeforeDrafts)): Promise<PrivacyRequestState> {
  const state: PrivacyRequestState = {
    status: 'open',
    answerBy: answerByOf(new Date(receivedAt), extended).toISOString(),
    extended: extended === true,
  }
  let isOpened = false
  /** an answer was taken and is being sent */
  let answering = false
  let taking = false
  let attempts = 0
  const background: Promise<void>[] = []
  takeMessages()
  showStatusDetails(runStatus('open'))

  const exists = await (draft
    ? localFirst.openRequest({ requestId })
    : untilRecorded('request', forTwoMinutes, () => localFirst.findRequest({ requestId })))
  if (!exists) moveTo('gone')
  isOpened = true
  if (!exists) {
    await condition(allHandlersFinished)
    return state
  }
  background.push(inBackground(acknowledge()))
  // The run that is gone may not have come to it.
  if (extended && patched('extension-told-again')) tellOfExtension()
  await urgeUntilAnswered()
  await Promise.all(background)
  if (state.status === 'answered') {
    moveTo('answered', keptUntil())
    await sleep(msUntil(keptUntil(), now()), { summary: 'until the request is forgotten' })
    await localFirst.forgetRequest({ requestId })
  }
  await condition(allHandlersFinished)
  return state

  function takeMessages(): void {
    onQuery(privacyRequestState, () => state)
    onUpdate(opened, nothing, async () => {
      await condition(() => isOpened)
      return state
    })
    onUpdate(
      resolve,
      objectOf<Omit<Answer, 'answerId'> & { answerId?: string | undefined }>({
        answerKind: oneOf(answerKinds),
        byMail: trueOrFalse,
        answerId: optional(uuid),
      }),
      async ({ byMail, answerId }) => {
        if (answerId !== undefined) await take(answerId)
        answering = true
        moveTo('answering')
        background.push(inBackground(answer(byMail, answerId === undefined)))
        return state
      },
      () => allow(!answering && isOpen()),
    )
    onUpdate(
      extend,
      objectOf<{ reason: ExtensionReason }>({ reason: oneOf(extensionReasons) }),
      async ({ reason }) => {
        state.answerBy = plusDays(new Date(state.answerBy), extensionDays).toISOString()
        state.extended = true
        moveTo('open')
        await localFirst.recordExtension({ requestId, answerBy: state.answerBy, reason })
        tellOfExtension()
        return state
      },
      // GDPR article 12(3): the person has to be informed of the extension within the first period.
      () => allow(!state.extended && !answering && state.status === 'open'),
    )
  }

  /** Of two answers at the same time, the one that is stored is taken. */
  async function take(answerId: string): Promise<void> {
    await condition(() => !taking)
    allow(!answering && isOpen())
    taking = true
    try {
      if (await localFirst.takeAnswer({ requestId, answerId, ...clock() })) return
      throw failure('PrivacyRequestStateConflict', { code: 'another_answer' })
    } finally {
      taking = false
    }
  }

  async function urgeUntilAnswered(): Promise<void> {
    const sent = new Set<string>()
    let lateReminders = 0
    while (isOpen()) {
      const { answerBy } = state
      const due = nextUrge()
      await condition(() => !isOpen() || state.answerBy !== answerBy, Math.max(1, msUntil(due.at, now())))
      if (isOpen() && state.answerBy === answerBy && now() >= due.at) urge(due)
    }

    /** Of reminders that are overdue only the last is sent, so that a request that was entered late gets one. */
    function nextUrge(): Urge {
      const waiting = urgesOf(state).filter(({ occasion }) => !sent.has(occasion))
      const passed = waiting.filter(({ at }) => at <= now())
      for (const { occasion } of passed.slice(0, -1)) sent.add(occasion)
      const next = passed.at(-1) ?? waiting[0]
      if (next) return next
      const at = plusDays(new Date(state.answerBy), (lateReminders + 1) * lateReminderDays)
      return { at, urgency: 'late', occasion: `late:${lateReminders + 1}` }
    }

    function urge({ urgency, occasion }: Urge): void {
      if (occasion.startsWith('late:')) lateReminders += 1
      else sent.add(occasion)
      if (urgency === 'late') moveTo('late')
      const { answerBy } = state
      const mail = () => notify.urgeOperators({ requestId, ...clock(), urgency, occasion, answerBy })
      background.push(inBackground(untilGivenUp(mail).then(noteGone)))
    }
  }

  /** A request is answered once the mail server has accepted the answer, or an operator has answered elsewhere. */
  async function answer(byMail: boolean, isUncommitted: boolean): Promise<void> {
    attempts += 1
    const attempt = attempts
    if (!byMail && isUncommitted) await untilTaskCompletes()
    const reached = byMail ? await untilGivenUp(() => notify.sendAnswer({ requestId, ...clock(), attempt })) : 'sent'
    if (reached === 'failed') {
      await localFirst.reportUnreachable({ requestId, ...clock(), mail: 'answer' })
      answering = false
      moveTo(now() < new Date(state.answerBy) ? 'open' : 'late')
    } else if (reached === 'sent' && (await localFirst.recordAnswer({ requestId, ...clock() }))) {
      state.status = 'answered'
    } else {
      moveTo('gone')
    }
  }

  async function acknowledge(): Promise<void> {
    const reached = await untilGivenUp(() => notify.acknowledgeRequest({ requestId, ...clock() }))
    if (reached === 'failed') await localFirst.reportUnreachable({ requestId, ...clock(), mail: 'acknowledgement' })
    noteGone(reached)
  }

  function tellOfExtension(): void {
    const mail = untilGivenUp(() => notify.tellOfExtension({ requestId, ...clock() }))
    background.push(inBackground(mail.then(noteGone)))
  }

  function noteGone(reached: Reached): void {
    if (reached === 'gone' && isOpen()) moveTo('gone')
  }

  function keptUntil(): Date {
    return plusDays(now(), keepAnsweredDays)
  }

  function isOpen(): boolean {
    return state.status !== 'answered' && state.status !== 'gone'
  }

  function allow(permitted: boolean): void {
    if (!permitted) throw failure('PrivacyRequestStateConflict', { code: state.status })
  }

  function moveTo(status: PrivacyRequestStatus, until?: Date): void {
    state.status = status
    showStatus(runStatus(status, until))
  }

  function runStatus(status: PrivacyRequestStatus, until = new Date(state.answerBy)) {
    return { status, waitingFor: waitingFor[status], dueAt: status === 'gone' ? null : until }
  }
}

interface Urge {
  at: Date
  urgency: Urgency
  /** each is sent once */
  occasion: string
}

function urgesOf({ answerBy, extended }: PrivacyRequestState): Urge[] {
  const beganOn = plusDays(new Date(answerBy), -answerWithinDays)
  const urges: Omit<Urge, 'occasion'>[] = [
    ...remindAtDays.map((day) => ({ at: plusDays(beganOn, day), urgency: 'reminder' as const })),
    { at: plusDays(beganOn, escalateAtDay), urgency: 'escalation' },
    { at: new Date(answerBy), urgency: 'late' },
  ]
  return urges.map((urge, index) => ({ ...urge, occasion: `${extended ? 'extended' : 'first'}:${index + 1}` }))
}

const waitingFor: Record<PrivacyRequestStatus, string> = {
  open: 'an operator to answer',
  late: 'an operator to answer, overdue',
  answering: 'the mail server to take the answer',
  answered: 'the time to forget the request',
  gone: 'nothing',
}

/** A mail that could not be sent within the time of `retry.message` counts as refused. */
async function untilGivenUp(send: () => Promise<Reached>): Promise<Reached> {
  try {
    return await send()
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error
    return 'failed'
  }
}
