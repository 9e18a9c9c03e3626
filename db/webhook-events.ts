import type { EsimProviderId } from '../policy/outside-parties.ts'
import { dayOf } from '../shared/calendar.ts'
import type { Database } from './connection/database.ts'
import type { FieldCipher } from './crypto/field-cipher.ts'

/** An event, by the id that its outside party gave it. */
export interface WebhookEvent {
  source: EsimProviderId | 'stripe' | 'apple' | 'google' | 'openid'
  eventId: string
}

interface Store {
  sql: Database
  cipher: FieldCipher
}

/** Whether an event was received before, and what it asks for was done. */
export async function isHandled({ sql, cipher }: Store, event: WebhookEvent): Promise<boolean> {
  const rows = await sql`
    select from webhook_events where source = ${event.source} and event_id = ${hashOf(cipher, event)}`
  return rows.length > 0
}

/**
 * Records that an event was handled, by a keyed hash and the day. R2, the books are anonymous: the event's id or its
 * exact time would lead to the sender's records.
 */
export async function recordEvent({ sql, cipher }: Store, event: WebhookEvent, at: Date): Promise<void> {
  await sql`
    insert into webhook_events (source, event_id, received_at)
    values (${event.source}, ${hashOf(cipher, event)}, ${dayOf(at)}) on conflict do nothing`
}

const hashOf = (cipher: FieldCipher, { source, eventId }: WebhookEvent): string =>
  cipher.fingerprint('webhook-event', `${source}\0${eventId}`).toString('base64url')
