import type { Database } from './database.ts'

/**
 * Handles an event once, whoever delivers it how often: its row and `handle` succeed or fail together, and a second
 * delivery that comes meanwhile waits for the first.
 * @returns false for an event that was handled before
 */
export async function handleOnce(
  sql: Database,
  event: { source: string; eventId: string; at: Date },
  handle: () => Promise<void>,
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const fresh = await tx`
      insert into webhook_events (source, event_id, received_at) values (${event.source}, ${event.eventId}, ${event.at})
      on conflict do nothing returning event_id`
    if (fresh.length === 0) return false
    await handle()
    return true
  })
}
