/** Deletes expired rows. */
import type { Database } from './connection/database.ts'

/** Deletes a batch of idempotency keys. @returns their number; less than `limit` when none are left */
export async function deleteIdempotencyKeys(sql: Database, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from idempotency_keys where ctid = any(array(
      select ctid from idempotency_keys where created_at < ${before} limit ${limit}))`
  return gone.count
}

/** Deletes a batch of recorded webhook events. @returns their number; less than `limit` when none are left */
export async function deleteWebhookEvents(sql: Database, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from webhook_events where ctid = any(array(
      select ctid from webhook_events where received_at < ${before} limit ${limit}))`
  return gone.count
}

/** Deletes expired links and web sessions, and ended sign-ins whose tokens have expired. @returns their number */
export async function deleteTokens(sql: Database, before: Date, endedBefore: Date): Promise<number> {
  const ended = await sql`delete from ended_sign_ins where ended_at <= ${endedBefore}`
  const links = await sql`delete from link_tokens where expires_at <= ${before}`
  const sessions = await sql`delete from web_sessions where expires_at <= ${before}`
  return links.count + sessions.count + ended.count
}

/**
 * Deletes a batch of privacy requests that were answered before a time: their run has not, so it is gone. @returns their
 * number; less than `limit` when none are left
 */
export async function deleteAnsweredRequests(sql: Database, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from privacy_requests where ctid = any(array(
      select ctid from privacy_requests where state = 'answered' and answered_at < ${before} limit ${limit}))`
  return gone.count
}

/**
 * Deletes a batch of what operators did to nothing of anybody's account, of closed tasks, and of mails to operators.
 * @returns the largest of their numbers; less than `limit` when none are left
 */
export async function deleteOperatorRecords(sql: Database, before: Date, limit: number): Promise<number> {
  const acts = await sql`
    delete from operator_acts where ctid = any(array(
      select ctid from operator_acts where account_id is null and asked_at < ${before} limit ${limit}))`
  const tasks = await sql`
    delete from attention where ctid = any(array(
      select ctid from attention where resolved_at < ${before} limit ${limit}))`
  const mails = await sql`
    delete from sends where ctid = any(array(
      select ctid from sends where account_id is null and first_at < ${before} limit ${limit}))`
  return Math.max(acts.count, tasks.count, mails.count)
}
