/**
 * Sends a simulator's webhooks. It can be told to drop, duplicate or delay them, or to hold them and release them in
 * another order. A refused delivery (no 2xx) is repeated `retries` times, `retryDelayMs` apart, each with a new
 * signature.
 */
import { setMaxListeners } from 'node:events'
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'

export interface WebhookRequest {
  url: string
  headers: Record<string, string>
  body: string
}

interface Misbehaviour {
  /** drop the next n deliveries for good */
  drop: number
  /** send each of the next deliveries this many times, at once */
  copies: number
  delayMs: number
  /** keep deliveries until `release` */
  hold: boolean
}

const misbehaviourForm = z.strictObject({
  drop: z.number().exactOptional(),
  copies: z.number().exactOptional(),
  delayMs: z.number().exactOptional(),
  hold: z.boolean().exactOptional(),
})

const releaseForm = z.strictObject({ order: z.array(z.number()).exactOptional() })

export interface Delivery {
  id: string
  status: number | 'failed' | 'dropped' | 'held'
  attempt: number
}

export class WebhookSender {
  readonly deliveries: Delivery[] = []
  private readonly held: { id: string; make: () => WebhookRequest }[] = []
  private behaviour: Misbehaviour = { drop: 0, copies: 1, delayMs: 0, hold: false }
  private underWay = newUnderWay()
  private readonly retries: number
  private readonly retryDelayMs: number

  constructor(options: { retries: number; retryDelayMs: number }) {
    this.retries = options.retries
    this.retryDelayMs = options.retryDelayMs
  }

  /** @param change `{ drop?, copies?, delayMs?, hold? }`, as the control action `webhooks` was sent it */
  configure(change: Record<string, unknown>): void {
    this.behaviour = { ...this.behaviour, ...misbehaviourForm.parse(change) }
  }

  /** Also ends delayed deliveries, pending repetitions and unanswered requests. */
  reset(): void {
    this.underWay.abort()
    this.underWay = newUnderWay()
    this.behaviour = { drop: 0, copies: 1, delayMs: 0, hold: false }
    this.held.length = 0
    this.deliveries.length = 0
  }

  /** Returns at once. `make` is called for each attempt, since real senders sign each attempt anew. */
  send(id: string, make: () => WebhookRequest): void {
    if (this.behaviour.drop > 0) {
      this.behaviour.drop -= 1
      this.deliveries.push({ id, status: 'dropped', attempt: 0 })
      return
    }
    if (this.behaviour.hold) {
      this.held.push({ id, make })
      this.deliveries.push({ id, status: 'held', attempt: 0 })
      return
    }
    for (let copy = 0; copy < this.behaviour.copies; copy += 1) void this.deliver(id, make, this.behaviour.delayMs)
  }

  heldIds(): string[] {
    return this.held.map((entry) => entry.id)
  }

  /**
   * Sends the held webhooks one after the other.
   * @param input `{ order? }`, as the control action `release` was sent it: their indexes; by default all, in the order
   * they were held
   */
  async release(input: Record<string, unknown>): Promise<void> {
    const { order } = releaseForm.parse(input)
    const entries = this.held.splice(0)
    for (const index of order ?? entries.map((_entry, position) => position)) {
      const entry = entries[index]
      if (entry) await this.deliver(entry.id, entry.make, 0)
    }
  }

  private async deliver(id: string, make: () => WebhookRequest, delayMs: number): Promise<void> {
    const { signal } = this.underWay
    try {
      if (delayMs) await pause(delayMs, undefined, { signal })
      for (let attempt = 1; attempt <= this.retries + 1; attempt += 1) {
        if (attempt > 1) await pause(this.retryDelayMs, undefined, { signal })
        const status = await post(make(), signal).catch(() => 'failed' as const)
        signal.throwIfAborted()
        this.deliveries.push({ id, status, attempt })
        if (status !== 'failed' && status >= 200 && status < 300) return
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/** Without a limit of listeners, since any number of deliveries can be open. */
function newUnderWay(): AbortController {
  const controller = new AbortController()
  setMaxListeners(0, controller.signal)
  return controller
}

/** Without `fetch`, which takes more processor time: in a benchmark the measured programs would lack it. */
function post({ url, headers, body }: WebhookRequest, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.startsWith('https:') ? requestTls : requestPlain
    const request = send(url, { method: 'POST', headers, timeout: 30_000, signal })
    request.on('timeout', () => request.destroy(new Error('no answer')))
    request.on('error', reject)
    request.on('response', (response) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    request.end(body)
  })
}
