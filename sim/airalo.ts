/**
 * A simulator of Airalo's partner API v2.
 *
 * Actions (POST /_control/do/<name>); an eSIM is named by `iccid`, or by its order's `orderId` or `description`:
 *   stock {packageId?, out, code?: 33 | 34}   left {packageId, quantity | null}
 *   price {packageId, netPrice}               balance {amount} (US dollars)
 *   maintenance {operatorId, on}              tokens {} (all expire now)
 *   install, use {bytes}, expire, recycle     change one eSIM
 *   clock {advanceSeconds} | {to}             moves Airalo's clock forward and sends what falls due
 *   age {seconds}                             what was ordered becomes so much older
 *   webhooks {drop?, copies?, delayMs?, hold?}   release {order?: number[]}   retry {} (refused webhooks, at once)
 *   signature {form: 'raw' | 'escaped' | 'wrong'}
 *   asyncOrders {seconds?, failure?}          when an order of POST /orders-async completes, and how it fails
 *   limits {tokenPerMinute?, usagePerMinute?, refundPerMinute?}   usageCache {seconds}
 *   approveRefund {refundId}
 *   plant {orders}                            many orders of the past at once (store.ts)
 *
 * By default only tokens are limited: with skipped time, tests would exceed Airalo's real limits (usage: 10 a minute,
 * cached for 20 minutes; refunds: five a minute). A test can set them.
 */

import { createNotifications, signatureForm } from './airalo/notifications.ts'
import { addRoutes, limitsForm, type Served } from './airalo/routes.ts'
import type { Sim } from './airalo/sims.ts'
import { createStore, plantedOrdersForm, type Store } from './airalo/store.ts'
import { createLimiter } from './airalo/wire.ts'
import { textField } from './fields.ts'
import { type RunningSimulator, startSimulator } from './simulator.ts'
import type { Delivery } from './webhooks.ts'

export type AiraloState = ReturnType<Store['show']> & { optedIn: Record<string, string>; deliveries: Delivery[] }

export interface AiraloReplies {
  clock: { now: string }
  retry: { sent: number }
  plant: { planted: { orderId: number }[] }
}

export interface AiraloOptions {
  port?: number
  /** keeps its state over a restart */
  file?: string | undefined
  clientId: string
  clientSecret: string
  /** subscribed to asynchronous orders and low data from the start; empty sends nothing */
  webhookUrl: string
}

const DEFAULTS = { limits: { tokenPerMinute: 3 }, usageCacheSeconds: 0, asyncSeconds: 0, asyncFailure: null }

/** Starts the simulator; the partner API is under `<url>/v2`. */
export function startAiralo(options: AiraloOptions): Promise<RunningSimulator<AiraloState, AiraloReplies>> {
  let offsetMs = 0
  const now = () => Date.now() + offsetMs
  const clock = {
    now,
    advance(milliseconds: number): void {
      offsetMs += milliseconds
    },
  }
  const settings: Served['settings'] = { ...DEFAULTS }
  const notifications = createNotifications(now, options.clientSecret, options.webhookUrl)
  const store = createStore(clock, notifications)
  const limiter = createLimiter()
  const tokens = new Map<string, number>()

  function sim(input: Record<string, unknown>): Sim {
    if (input.iccid !== undefined) return store.simOf(String(input.iccid))
    const order =
      input.orderId === undefined
        ? store.listOrders({ description: String(input.description) }).find(({ type }) => type === 'sim')
        : store.orderOf(Number(input.orderId))
    const [first] = order?.sims ?? []
    if (!first) throw new Error('no such eSIM')
    return first
  }

  return startSimulator(
    {
      name: 'airalo',
      refusal: ({ code, status = 422 }) => ({
        status,
        body: { code: Number(code), reason: 'Refused by the simulator' },
      }),
      routes: (router) => addRoutes(router, { ...options, settings, store, notifications, limiter, tokens }),
      state: () => ({
        ...store.show(),
        optedIn: Object.fromEntries(notifications.optedIn),
        deliveries: notifications.sender.deliveries,
      }),
      reset() {
        offsetMs = 0
        Object.assign(settings, DEFAULTS)
        limiter.reset()
        notifications.reset()
        store.reset()
      },
      kept: {
        save: () => ({ offsetMs, books: store.kept.save() }),
        load(state: { offsetMs: number; books: Parameters<Store['kept']['load']>[0] }) {
          offsetMs = state.offsetMs
          store.kept.load(state.books)
        },
      },
      actions: {
        stock: (input) => store.setStock(textField(input, 'packageId'), Boolean(input.out), Number(input.code ?? 33)),
        left: (input) =>
          store.setLeft(String(input.packageId), input.quantity === null ? null : Number(input.quantity)),
        price: (input) => store.setPrice(String(input.packageId), Number(input.netPrice)),
        balance: (input) => store.setBalance(Number(input.amount)),
        maintenance: (input) => store.setMaintenance(Number(input.operatorId), Boolean(input.on)),
        tokens: () => tokens.clear(),
        install: (input) => store.life.install(sim(input)),
        use: (input) => store.life.use(sim(input), Number(input.bytes)),
        expire: (input) => store.life.expire(sim(input)),
        recycle: (input) => store.life.recycle(sim(input)),
        clock: (input) => {
          const target = input.to === undefined ? now() : Date.parse(String(input.to))
          const milliseconds = target - now() + Number(input.advanceSeconds ?? 0) * 1000
          if (!(milliseconds >= 0)) throw new Error('the clock only goes forward')
          store.advance(milliseconds)
          return { now: new Date(now()).toISOString() }
        },
        age: (input) => store.age(Number(input.seconds) * 1000),
        webhooks: (input) => notifications.sender.configure(input),
        release: (input) => notifications.sender.release(input),
        retry: () => ({ sent: notifications.retry(true) }),
        signature: (input) => notifications.setForm(signatureForm.parse(input.form)),
        asyncOrders: (input) =>
          Object.assign(settings, { asyncSeconds: Number(input.seconds ?? 0), asyncFailure: input.failure ?? null }),
        limits: (input) => Object.assign(settings, { limits: { ...settings.limits, ...limitsForm.parse(input) } }),
        usageCache: (input) => Object.assign(settings, { usageCacheSeconds: Number(input.seconds) }),
        plant: (input) => store.plant(plantedOrdersForm.parse(input.orders)),
        approveRefund: (input) => store.approveRefund(String(input.refundId)),
      },
    },
    options.port,
    options.file,
  )
}
