/** Rows that nobody can ask for any more. */
import type { Database } from './connection/database.ts'

/** Deletes a batch of requests' keys. @returns how many; fewer than `limit` when no more are there */
export async function forgetIdempotencyKeys(sql: Database, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from idempotency_keys where ctid = any(array(
      select ctid from idempotency_keys where created_at < ${before} limit ${limit}))`
  return gone.count
}

/** The same for providers' events. */
export async function forgetWebhookEvents(sql: Database, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from webhook_events where ctid = any(array(
      select ctid from webhook_events where received_at < ${before} limit ${limit}))`
  return gone.count
}

/** Mailed links that nobody followed in time, and sessions of the web pages that are over. */
export async function forgetTokens(sql: Database, before: Date): Promise<number> {
  const links = await sql`delete from link_tokens where expires_at <= ${before}`
  const sessions = await sql`delete from web_sessions where expires_at <= ${before}`
  return links.count + sessions.count
}
