/** Waits for changes of many orders by one query. It is a hint when to ask the API: no oracle reads it. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '../../../db/connection/database.ts'

const everyMs = 150

export function createOrderWatch(sql: Database) {
  const waiting = new Map<string, { status: string; wake: () => void }>()
  let isLooking = false

  async function look(): Promise<void> {
    isLooking = true
    while (waiting.size > 0) {
      const rows = await sql<{ id: string; status: string }[]>`
        select id, status from orders where id = any(${[...waiting.keys()]})`.catch(() => [])
      for (const { id, status } of rows) {
        const waiter = waiting.get(id)
        if (waiter && waiter.status !== status) waiter.wake()
      }
      await pause(everyMs)
    }
    isLooking = false
  }

  return {
    /** Resolves when the order has another state, or after `atMostMs`. */
    async change({ orderId, status }: { orderId: string; status: string }, atMostMs: number): Promise<void> {
      const ended = new AbortController()
      await new Promise<void>((resolve) => {
        waiting.set(orderId, { status, wake: resolve })
        if (!isLooking) void look()
        pause(atMostMs, undefined, { signal: ended.signal }).then(resolve, () => undefined)
      })
      ended.abort()
      waiting.delete(orderId)
    },
  }
}
