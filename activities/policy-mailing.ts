/**
 * N2: one page of a notice. Before anything is sent to somebody, a row says so; once the mail server has taken the mail,
 * the row says that. Between the two lie milliseconds: whoever's mail was there when a worker died is told once more,
 * under the same Message-ID, since not to be told would break a promise and to be told twice does not.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@temporalio/activity'
import type { Context } from '../context.ts'
import { markMailBounced } from '../db/accounts.ts'
import type { Policy } from '../db/policies.ts'
import {
  claimDeliveries,
  type DeliveryResult,
  type IdRange,
  listNotNotified,
  type NoticeOfVersion,
  type Recipient,
  recordDeliveryResults,
} from '../db/policy-deliveries.ts'
import type { RenderedMail } from '../mails/render.ts'
import { milliseconds } from '../policy/periods.ts'
import { isProviderFailure, type ProviderFailure } from '../providers/failure.ts'
import { plusMs } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import { retryDelay } from './failures.ts'
import { createGroupWriter } from './sending/group-writes.ts'

/** rows read at once */
const pageSize = 500
/** Claimed together, and queued at the mailer together: few enough that an order's mail does not wait behind them. */
const groupSize = 20
const groupsAtOnce = 4
/** Longer than a group takes; by then a worker that is still alive has stopped sending it. */
const leaseMs = 2 * milliseconds.minute
const stopBeforeMs = 70 * milliseconds.second
/** so many in a row, and the mail server is away rather than choosy */
const faultsInARow = 20
const heartbeatMs = 3_000
/** RFC 5321: no such mailbox; other refusals may be about the mail */
const addressRefused = new Set(['smtp_550', 'smtp_551', 'smtp_553', 'invalid_address'])

export interface PageOutcome {
  sent: number
  failed: number
  due: number
}

export interface Page {
  policy: Policy
  told: NoticeOfVersion
  range: IdRange
  mail: RenderedMail
}

/** @throws MailUnavailable when the mail server is away: what was sent is settled, the rest is due */
export async function mailPage(context: Context, { policy, told, range, mail }: Page): Promise<PageOutcome> {
  const { sql } = context
  const clock = attemptClock()
  const outcome: PageOutcome = { sent: 0, failed: 0, due: 0 }
  let faults = 0
  let stopped = false
  let lastFault: ProviderFailure | undefined
  const sendOne = await context.mail.sendToMany(mail)
  const settle = createGroupWriter<DeliveryResult>((settlements) => recordDeliveryResults(sql, told, settlements))
  const isOver = (): boolean => stopped || faults >= faultsInARow || cancellationSignal().aborted
  const beat = setInterval(() => heartbeat(outcome), heartbeatMs)
  try {
    for (let after: string | undefined; ; ) {
      const recipients = await listNotNotified(sql, context, told, { ...range, after, limit: pageSize })
      const groups = chunksOf(recipients, groupSize)
      await Promise.all(
        Array.from({ length: groupsAtOnce }, async () => {
          for (let group = groups.shift(); group && !isOver(); group = groups.shift()) await mailGroup(group)
        }),
      )
      cancellationSignal().throwIfAborted()
      if (faults >= faultsInARow) throw failure('MailUnavailable', unavailability(lastFault))
      after = recipients.at(-1)?.accountId
      if (recipients.length < pageSize) return outcome
    }
  } finally {
    stopped = true
    clearInterval(beat)
  }

  async function mailGroup(group: Recipient[]): Promise<void> {
    const claimedAt = clock()
    const claims = group.map(({ accountId }) => ({ accountId, messageRef: messageRefOf(context, told, accountId) }))
    const ours = await claimDeliveries(sql, told, claims, { toldFor: policy.effective_at, at: claimedAt, leaseMs })
    await Promise.all(
      group
        .filter(({ accountId }) => ours.has(accountId))
        .map(async (recipient) => {
          const settlement = await send(recipient, claimedAt)
          if (settlement) await settle(settlement)
        }),
    )
  }

  /** Undefined when it may have been sent: the lease runs out, and it is sent again. */
  async function send({ accountId, email }: Recipient, claimedAt: Date): Promise<DeliveryResult | undefined> {
    const end = (state: DeliveryResult['state'], code: string | null): DeliveryResult => {
      outcome[state] += 1
      return { accountId, state, code, at: clock() }
    }
    if (isOver() || clock() > plusMs(claimedAt, leaseMs - stopBeforeMs)) return end('due', 'not_begun')
    try {
      const messageId = `<${messageRefOf(context, told, accountId)}@${context.config.MAIL_BOUNCE_DOMAIN}>`
      await sendOne({ to: email, messageId })
      faults = 0
      return end('sent', null)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      faults += 1
      lastFault = error
      if (error.kind === 'rejected') {
        if (addressRefused.has(error.code)) await markMailBounced(sql, accountId)
        return end('failed', error.code)
      }
      if (error.kind !== 'unknown_outcome') return end('due', error.code)
      outcome.due += 1
      return undefined
    }
  }
}

/** The local part of the mail's Message-ID, by which a bounce names it: the same for every attempt. */
function messageRefOf(
  { cipher }: Pick<Context, 'cipher'>,
  { version, notice }: NoticeOfVersion,
  accountId: string,
): string {
  return cipher.fingerprint('policy-notice', `${version}\0${notice}\0${accountId}`).subarray(0, 18).toString('hex')
}

const unavailability = (fault: ProviderFailure | undefined) => ({
  ...(fault && { code: fault.code, ...retryDelay(fault) }),
})

/** The workflow's clock, skipped or not, going on from when this attempt was scheduled. */
function attemptClock(): () => Date {
  const scheduled = activityInfo().currentAttemptScheduledTimestampMs
  const begun = performance.now()
  return () => new Date(scheduled + (performance.now() - begun))
}

function chunksOf<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
