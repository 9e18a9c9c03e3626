/** The send ledger: mail and push have no idempotency, so a row is written before anything is sent. */
import type { Queryable } from './database.ts'

export interface Send {
  /** what the message is about: an order, a policy version, a campaign */
  subjectId: string
  /** channel and occasion, for example `mail:confirmation` */
  kind: string
  accountId: string | null
}

/**
 * Claims the right to send. `repeat` says that an earlier attempt ended unknown: it may have been sent.
 * `done` when nothing is left to do.
 */
export async function claimSend(sql: Queryable, send: Send, at: Date): Promise<'first' | 'repeat' | 'done'> {
  const [row] = await sql<{ attempts: number; unknown: boolean }[]>`
    insert into sends (subject_id, kind, account_id, state, code, attempts, first_at)
    values (${send.subjectId}, ${send.kind}, ${send.accountId}, 'sending', null, 1, ${at})
    on conflict (subject_id, kind) do update
      set attempts = sends.attempts + 1, state = 'sending',
          code = case when sends.state = 'sending' then 'unknown_outcome' end
      where sends.state in ('sending', 'due')
    returning attempts, code is not null as unknown`
  if (!row) return 'done'
  return row.unknown ? 'repeat' : 'first'
}

/** Records how it went. `due`: surely not sent, to be tried again. */
export async function settleSend(
  sql: Queryable,
  send: Send,
  state: 'due' | 'sent' | 'failed' | 'skipped',
  at: Date,
  code: string | null = null,
): Promise<void> {
  await sql`update sends set state = ${state}, code = ${code}, done_at = ${state === 'due' ? null : at}
    where subject_id = ${send.subjectId} and kind = ${send.kind}`
}
