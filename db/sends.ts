/** The send ledger. Mail and push have no idempotency keys, hence a row is written before a message is sent. */
import type { Queryable } from './connection/database.ts'
import type { Sends } from './connection/schema.ts'

export interface Send {
  /** the id of the order, policy version or other thing that the message is about */
  subjectId: string
  /** channel and occasion, for example `mail:confirmation` */
  kind: string
  accountId: string | null
}

/** The `code` of a row whose attempt may have sent the message. */
export const unknownOutcome = 'unknown_outcome'

/** After this time an attempt has recorded its result, or its worker died, or its activity timed out. */
const attemptLastsMs = 10_000

/**
 * Claims the right to send a message.
 * @returns `repeat` when an earlier attempt has an unknown outcome; `busy` while another attempt runs; `done` when the
 *   message was sent or given up
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
  const [row] = await sql<Pick<Sends, 'state'>[]>`
    select state from sends where subject_id = ${send.subjectId} and kind = ${send.kind}`
  return row?.state === 'sending' || row?.state === 'due' ? 'busy' : 'done'
}

/** Records the result. `due`: to be tried again; it was certainly not sent, unless the code is `unknownOutcome`. */
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
