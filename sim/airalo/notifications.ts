/**
 * Signed webhooks. Only an answer of 200 to 203 accepts a delivery. Others are repeated up to 20 times, every 15
 * minutes of the simulator's clock, or at once by the `retry` action.
 */
import { z } from 'zod'
import { WebhookSender } from '../webhooks.ts'
import { invalid, sign } from './wire.ts'

export const NOTIFICATION_TYPES = ['async_orders', 'webhook_low_data', 'webhook_credit_limit'] as const
export type NotificationType = (typeof NOTIFICATION_TYPES)[number]

/**
 * `raw`: signs the bytes that are sent. `escaped`: signs the text with `/` written as `\/` and sends it unescaped; the
 * vendor's samples allow both readings. `wrong`: signs with another key.
 */
export const signatureForm = z.enum(['raw', 'escaped', 'wrong'])
type SignatureForm = z.infer<typeof signatureForm>

const RETRIES = 20
const RETRY_MS = 15 * 60_000

export function createNotifications(now: () => number, clientSecret: string, firstUrl: string) {
  const sender = new WebhookSender({ retries: 0, retryDelayMs: 0 })
  const optedIn = new Map<NotificationType, string>()
  const sent = new Map<string, { url: string; body: string; attempts: number; nextAt: number }>()
  let form: SignatureForm = 'raw'
  let sequence = 0

  function start(): void {
    if (!firstUrl) return
    optedIn.set('async_orders', firstUrl)
    optedIn.set('webhook_low_data', firstUrl)
  }
  start()

  function post(url: string | undefined, kind: string, content: Record<string, unknown>): void {
    if (!url) return
    const id = `${kind}-${++sequence}`
    sent.set(id, { url, body: JSON.stringify(content), attempts: 0, nextAt: 0 })
    setImmediate(() => attempt(id))
  }

  function attempt(id: string): void {
    const entry = sent.get(id)
    if (!entry) return
    entry.attempts += 1
    entry.nextAt = now() + RETRY_MS
    const { url, body } = entry
    sender.send(id, () => {
      const signed = form === 'escaped' ? body.replaceAll('/', '\\/') : body
      const signature = sign(signed, form === 'wrong' ? 'another secret' : clientSecret)
      return { url, headers: { 'content-type': 'application/json', 'airalo-signature': signature }, body }
    })
  }

  /** Repeats refused webhooks that are due. @param all also those whose 15 minutes are not over */
  function retry(all: boolean): number {
    const finished = new Set<string>()
    const answers = new Map<string, number>()
    for (const { id, status } of sender.deliveries) {
      if (status === 'dropped' || (typeof status === 'number' && status < 204)) finished.add(id)
      if (status !== 'held') answers.set(id, (answers.get(id) ?? 0) + 1)
    }
    let count = 0
    for (const [id, entry] of sent) {
      const isUnderWay = entry.attempts === 0 || (answers.get(id) ?? 0) < entry.attempts
      if (finished.has(id)) sent.delete(id)
      else if (isUnderWay) continue
      else if (entry.attempts <= RETRIES && (all || now() >= entry.nextAt)) {
        attempt(id)
        count += 1
      }
    }
    return count
  }

  return {
    sender,
    retry,
    optedIn,
    setForm(next: SignatureForm): void {
      form = next
    },
    lowData: (content: Record<string, unknown>) => post(optedIn.get('webhook_low_data'), 'low-data', content),
    asyncOrder: (content: Record<string, unknown>, url: string | undefined) =>
      post(url ?? optedIn.get('async_orders'), 'async-order', content),
    /** Subscribes a URL if it answers HEAD with 200. */
    async optIn(type: NotificationType, url: string): Promise<void> {
      const probe = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) }).catch(() => null)
      if (probe?.status !== 200) throw invalid({ webhook_url: 'The webhook url must respond with 200 OK to HEAD.' })
      optedIn.set(type, url)
    },
    reset(): void {
      sender.reset()
      sent.clear()
      optedIn.clear()
      form = 'raw'
      start()
    },
  }
}

export type Notifications = ReturnType<typeof createNotifications>
