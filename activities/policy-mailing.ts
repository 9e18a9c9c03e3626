/**
 * N2: policy notices are mailed. Sends one page of a notice: a row claims each mail before it is sent, and records when
 * the mail server has accepted it. A mail whose worker crashed in between is sent again under the same Message-ID,
 * because a missing notice would break the promise and a duplicate does not.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'
import pMap from 'p-map'
import type { Context } from '../context.ts'
import { markMailBounced } from '../db/accounts.ts'
import type { Policy } from '../db/policies.ts'
import {
  type ClaimedDelivery,
  claimDeliveries,
  type DeliveryResult,
  type IdRange,
  listNotNotified,
  type NoticeOfVersion,
  recordDeliveryResults,
} from '../db/policy-deliveries.ts'
import type { RenderedMail } from '../mails/render.ts'
import type { Language } from '../messages/languages.ts'
import { milliseconds } from '../policy/periods.ts'
import { isProviderFailure, type ProviderFailure } from '../providers/failure.ts'
import { plusMs } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import { createGroupWriter } from '../shared/group-writes.ts'
import { retryDelay } from './failures.ts'

/** rows per query */
const pageSize = 500
/** Mails that are claimed and queued together: few, so that the mail of an order does not wait behind them. */
const groupSize = 20
const concurrentGroups = 4
/**
 * Longer than a group takes. A worker begins no mail of a group so late that its lease may end first: a mail server may
 * take ten minutes for its answer (RFC 5321, section 4.5.3.2).
 */
const leaseMs = 12 * milliseconds.minute
const stopBeforeMs = 11 * milliseconds.minute
/** after this many failures in a row the mail server counts as down */
const maxFailuresInARow = 20
const heartbeatMs = 3_000

export interface PageOutcome {
  sent: number
  failed: number
  due: number
}

export interface Page {
  policy: Policy
  notice: NoticeOfVersion
  range: IdRange
  /** the notice in a language */
  mailIn(language: Language): RenderedMail
}

/**
 * Sends one page.
 * @throws MailUnavailable when the mail server is down: mails that were sent are recorded, the others are due
 */
export async function mailPage(context: Context, { policy, notice, range, mailIn }: Page): Promise<PageOutcome> {
  const { sql } = context
  const clock = attemptClock()
  const outcome: PageOutcome = { sent: 0, failed: 0, due: 0 }
  let failuresInARow = 0
  let stopped = false
  let lastFailure: ProviderFailure | undefined
  const senders = new Map<Language, ReturnType<Context['mail']['sendToMany']>>()
  const record = createGroupWriter<DeliveryResult>((results) => recordDeliveryResults(sql, notice, results))
  const isOver = (): boolean => stopped || failuresInARow >= maxFailuresInARow || cancellationSignal().aborted
  const beat = setInterval(() => heartbeat(outcome), heartbeatMs)
  try {
    for (let after: string | undefined; ; ) {
      const accountIds = await listNotNotified(sql, notice, { ...range, after, limit: pageSize })
      const groups = chunksOf(accountIds, groupSize)
      await pMap(groups, mailGroup, { concurrency: concurrentGroups })
      cancellationSignal().throwIfAborted()
      if (failuresInARow >= maxFailuresInARow) throw failure('MailUnavailable', unavailability(lastFailure))
      after = accountIds.at(-1)
      if (accountIds.length < pageSize) return outcome
    }
  } finally {
    stopped = true
    clearInterval(beat)
  }

  /** Each language is rendered once for a page. */
  function senderIn(language: Language) {
    const known = senders.get(language) ?? context.mail.sendToMany(mailIn(language))
    senders.set(language, known)
    return known
  }

  async function mailGroup(group: string[]): Promise<void> {
    if (isOver()) return
    const claimedAt = clock()
    const claims = group.map((accountId) => ({ accountId, messageRef: messageRefOf(context, notice, accountId) }))
    const terms = { announcedFor: policy.effective_at, at: claimedAt, leaseMs }
    // The addresses come with the claim: since the page was read, a person may have got another one.
    const ours = await claimDeliveries(sql, context, notice, claims, terms)
    await Promise.all(
      ours.map(async (recipient) => {
        const result = await send(recipient, claimedAt)
        if (result) await record(result)
      }),
    )
  }

  /** Returns undefined after an unknown outcome: the mail is sent again when its lease has ended. */
  async function send(
    { accountId, email, emailIndex, language, messageRef }: ClaimedDelivery,
    claimedAt: Date,
  ): Promise<DeliveryResult | undefined> {
    const end = (state: DeliveryResult['state'], code: string | null): DeliveryResult => {
      outcome[state] += 1
      return { accountId, state, code, at: clock() }
    }
    if (isOver() || clock() > plusMs(claimedAt, leaseMs - stopBeforeMs)) return end('due', 'not_begun')
    try {
      const messageId = `<${messageRef}@${context.config.MAIL_BOUNCE_DOMAIN}>`
      const sendOne = await senderIn(language)
      await sendOne({ to: email, messageId })
      failuresInARow = 0
      return end('sent', null)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      if (error.kind === 'rejected') {
        await markMailBounced(sql, accountId, emailIndex)
        return end('failed', error.code)
      }
      failuresInARow += 1
      lastFailure = error
      if (error.kind !== 'unknown_outcome') return end('due', error.code)
      outcome.due += 1
      return undefined
    }
  }
}

/** The local part of the first Message-ID, which identifies the mail in a bounce. */
function messageRefOf(
  { cipher }: Pick<Context, 'cipher'>,
  { version, notice }: NoticeOfVersion,
  accountId: string,
): string {
  return cipher.fingerprint('policy-notice', `${version}\0${notice}\0${accountId}`).subarray(0, 18).toString('hex')
}

const unavailability = (lastFailure: ProviderFailure | undefined) => ({
  ...(lastFailure && { code: lastFailure.code, ...retryDelay(lastFailure) }),
})

/** The workflow's time, which tests can skip, counted on from when this attempt was scheduled. */
function attemptClock(): () => Date {
  const scheduled = activityInfo().currentAttemptScheduledTimestampMs
  const startedAt = performance.now()
  return () => new Date(scheduled + (performance.now() - startedAt))
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
