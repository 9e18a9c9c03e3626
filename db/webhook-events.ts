import { dayOf } from './books.ts'
import type { Database } from './database.ts'
import type { FieldCipher } from './field-cipher.ts'

/**
 * Handles an event once, whoever delivers it how often: its row and `handle` succeed or fail together, and a second
 * delivery that comes meanwhile waits for the first. The row names neither event nor moment, which would lead from here
 * into the sender's books (R2): a keyed hash and the day are enough.
 * @returns false for an event that was handled before
 */
export async function handleOnce(
  { sql, cipher }: { sql: Database; cipher: FieldCipher },
  event: { source: string; eventId: string; at: Date },
  handle: () => Promise<void>,
): Promise<boolean> {
  const hash = cipher.fingerprint('webhook-event', `${event.source}\0${event.eventId}`).toString('base64url')
  return sql.begin(async (tx) => {
    const fresh = await tx`
      insert into webhook_events (source, event_id, received_at) values (${event.source}, ${hash}, ${dayOf(event.at)})
      on conflict do nothing returning event_id`
    if (fresh.length === 0) return false
    await handle()
    return true
  })
}
