/** The send ledger: mail and push have no idempotency, so a row is written before anything is sent. */
import type { Queryable } from './connection/database.ts'

export interface Send {
  /** what the message is about: an order, a policy version, a campaign */
  subjectId: string
  /** channel and occasion, for example `mail:confirmation` */
  kind: string
  accountId: string | null
}

/** In the ledger's `code`: the attempt may have sent the message. */
export const unknownOutcome = 'unknown_outcome'

/** By then an attempt has settled, or nobody waits for it any more: the worker died, or the activity ran out of time. */
const attemptLastsMs = 10_000

/**
 * Claims the right to send. `repeat` says that an earlier attempt ended unknown: it may have been sent. `busy` when an
 * attempt is under way elsewhere, `done` when nothing is left to do.
 */
export async function claimSend(sql: Queryable, send: Send, at: Date): Promise<'first' | 'repeat' | 'busy' | 'done'> {
  const [claimed] = await sql<{ unknown: boolean }[]>`
    insert into sends (subject_id, kind, account_id, state, code, attempts, first_at, claimed_at)
    values (${send.subjectId}, ${send.kind}, ${send.accountId}, 'sending', null, 1, ${at}, clock_timestamp())
    on conflict (subject_id, kind) do update
      set attempts = sends.attempts + 1, state = 'sending', claimed_at = clock_timestamp(),
          code = case when sends.state = 'sending' or sends.code = ${unknownOutcome} then ${unknownOutcome} end
      where sends.state = 'due' or (sends.state = 'sending'
        and sends.claimed_at < clock_timestamp() - ${attemptLastsMs} * interval '1 millisecond')
    returning code is not null as unknown`
  if (claimed) return claimed.unknown ? 'repeat' : 'first'
  const [row] = await sql<{ state: string }[]>`
    select state from sends where subject_id = ${send.subjectId} and kind = ${send.kind}`
  return row?.state === 'sending' || row?.state === 'due' ? 'busy' : 'done'
}

/** Records how it went. `due`: to be tried again, and surely not sent unless the code is `unknownOutcome`. */
export async function recordSendResult(
  sql: Queryable,
  send: Send,
  state: 'due' | 'sent' | 'failed' | 'skipped',
  at: Date,
  code: string | null = null,
): Promise<void> {
  await sql`update sends set state = ${state}, code = ${code}, done_at = ${state === 'due' ? null : at}
    where subject_id = ${send.subjectId} and kind = ${send.kind}`
}
