/** The send ledger. Mail and push have no idempotency keys, hence a row is written before a message is sent. */
import type { Queryable } from './connection/database.ts'
import type { Sends } from './connection/schema.ts'

export interface Send {
  /** the id of the order, policy version or other thing that the message is about */
  subjectId: string
  /** channel and occasion, for example `mail:confirmation` */
  kind: string
  accountId: string | null
  /** the local part of the Message-ID of a mail, by which a bounce names it */
  messageRef?: string
}

/** The `code` of a row whose attempt may have sent the message. */
export const unknownOutcome = 'unknown_outcome'

/**
 * After this time without a renewal the attempt's worker is dead. An attempt may go on for longer than its activity: a
 * mail server may take ten minutes for its answer (RFC 5321, section 4.5.3.2).
 */
const claimLastsMs = 20_000
export const renewClaimEveryMs = 5_000

/**
 * Claims the right to send a message. A mail is noted as one to the address of its account; see `noteAddress`.
 * @returns `repeat` when an earlier attempt has an unknown outcome; `busy` while another attempt runs; `failed`
 *   when it was refused for good or has come back; `done` when it was sent, or nobody gets it
 */
export async function claimSend(
  sql: Queryable,
  send: Send,
  at: Date,
): Promise<'first' | 'repeat' | 'busy' | 'failed' | 'done'> {
  const [claimed] = await sql<{ unknown: boolean }[]>`
    insert into sends (subject_id, kind, account_id, state, code, attempts, first_at, claimed_at, message_ref, address_index)
    values (${send.subjectId}, ${send.kind}, ${send.accountId}, 'sending', null, 1, ${at}, clock_timestamp(),
      ${send.messageRef ?? null},
      ${send.messageRef === undefined ? null : sql`(select email_index from accounts where id = ${send.accountId})`})
    on conflict (subject_id, kind) do update
      set attempts = sends.attempts + 1, state = 'sending', claimed_at = clock_timestamp(),
          address_index = excluded.address_index, message_ref = excluded.message_ref,
          code = case when sends.state = 'sending' or sends.code = ${unknownOutcome} then ${unknownOutcome} end
      where sends.state = 'due' or (sends.state = 'sending'
        and sends.claimed_at < clock_timestamp() - ${claimLastsMs} * interval '1 millisecond')
    returning code is not null as unknown`
  if (claimed) return claimed.unknown ? 'repeat' : 'first'
  const [row] = await sql<Pick<Sends, 'state'>[]>`
    select state from sends where subject_id = ${send.subjectId} and kind = ${send.kind}`
  if (row?.state === 'failed') return 'failed'
  return row?.state === 'sending' || row?.state === 'due' ? 'busy' : 'done'
}

/** Renews the claim of an attempt that is under way, so that no other attempt begins. */
export async function renewClaim(sql: Queryable, { subjectId, kind }: Send): Promise<void> {
  await sql`update sends set claimed_at = clock_timestamp()
    where subject_id = ${subjectId} and kind = ${kind} and state = 'sending'`
}

/** Notes that a mail goes to another address than that of its account. */
export async function noteAddress(sql: Queryable, { subjectId, kind }: Send, addressIndex: Buffer): Promise<void> {
  await sql`update sends set address_index = ${addressIndex} where subject_id = ${subjectId} and kind = ${kind}`
}

export interface BouncedMail {
  subjectId: string
  kind: string
  accountId: string | null
  /** null: the account's own, of a mail from before this was noted */
  addressIndex: Buffer | null
}

/** Records a bounce. @returns the mail; undefined when none has this reference */
export async function recordBounce(
  sql: Queryable,
  messageRef: string,
  status: string,
): Promise<BouncedMail | undefined> {
  const [row] = await sql<Pick<Sends, 'subject_id' | 'kind' | 'account_id' | 'address_index'>[]>`
    update sends set state = 'failed', code = ${status} where message_ref = ${messageRef}
    returning subject_id, kind, account_id, address_index`
  return (
    row && { subjectId: row.subject_id, kind: row.kind, accountId: row.account_id, addressIndex: row.address_index }
  )
}

export interface SentMail {
  /** the occasion, such as `confirmation` */
  mail: string
  /** `bounced`: it came back after its mail server had accepted it */
  state: Sends['state'] | 'bounced'
  /** why it was not sent, or why it came back */
  code: Sends['code']
}

/** An enhanced status code (RFC 3463) alone is of a bounce; codes of refusals begin with `smtp_`. */
const bounceCode = '^[245][.]\\d{1,3}[.]\\d{1,3}$'

/** The mails about a thing, the oldest first. */
export async function listMails(sql: Queryable, subjectId: string): Promise<SentMail[]> {
  return sql<SentMail[]>`
    select split_part(kind, ':', 2) as mail, code, case when state = 'failed' and code ~ ${bounceCode} then 'bounced' else state end as state
    from sends where subject_id = ${subjectId} and kind like 'mail:%' order by first_at, kind`
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

/** Lets a mail be sent again that did not reach the address of then: it is tried since now. */
export async function reopenSend(sql: Queryable, { subjectId, kind }: Send, at: Date): Promise<void> {
  await sql`update sends set state = 'due', code = null, done_at = null, first_at = ${at}
    where subject_id = ${subjectId} and kind = ${kind} and state = 'failed'`
}

/** Gives a mail up that is tried since before a time. @returns false when it is not tried for so long */
export async function giveUpSend(sql: Queryable, { subjectId, kind }: Send, triedSince: Date): Promise<boolean> {
  const { count } = await sql`update sends set state = 'failed', code = coalesce(code, 'given_up')
    where subject_id = ${subjectId} and kind = ${kind} and state = 'due' and first_at <= ${triedSince}`
  return count > 0
}

/**
 * Lets the mails of a kind be sent again that an address has refused which takes mail again: as if it were another one.
 */
export async function forgetRefusals(
  sql: Queryable,
  { accountId, kind }: Pick<Send, 'kind'> & { accountId: string },
): Promise<void> {
  await sql`update sends set address_index = null
    where account_id = ${accountId} and kind = ${kind} and state = 'failed'`
}

/** The messages of an occasion about a thing: the first one, and those whose kinds name what they are about as well. */
export const listSendsOf = (
  sql: Queryable,
  subjectId: string,
  occasion: string,
): Promise<Pick<Sends, 'kind' | 'state' | 'first_at'>[]> =>
  sql<Pick<Sends, 'kind' | 'state' | 'first_at'>[]>`
    select kind, state, first_at from sends
    where subject_id = ${subjectId} and (kind = ${occasion} or starts_with(kind, ${`${occasion}:`}))`

/** When a message was sent; null while it is not. */
export async function sentAt(sql: Queryable, subjectId: string, kind: string): Promise<Date | null> {
  const [row] = await sql<Pick<Sends, 'done_at'>[]>`
    select done_at from sends where subject_id = ${subjectId} and kind = ${kind} and state = 'sent'`
  return row?.done_at ?? null
}
