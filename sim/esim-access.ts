/**
 * A simulator of eSIM Access' partner API: every call is a POST, and every business failure has the HTTP status 200.
 *
 * Actions (POST /_control/do/<name>); an eSIM is named by `esimTranNo` or `iccid`, or by `orderNo` or `transactionId`
 * (the order's first eSIM):
 *   allocation {polls?, seconds?, never?}  how long new orders answer 200010 ({} = not at all)
 *   allocate {orderNo?}                    allocates one order, or all of them
 *   stock {packageCode?, out}              price {packageCode, price}   balance {amount}   (10,000 = 1 USD)
 *   install, use {bytes}, expire, remove   change one eSIM
 *   clock {advanceSeconds} | {to}          moves the provider's clock forward and applies what falls due
 *   age {seconds}                          what is allocated becomes so much older
 *   webhooks {drop?, copies?, delayMs?, hold?}   release {order?: number[]}
 *   odd {entries?, alone?}                 entries of any form beside the packages of each list, or alone
 *   plant {orders}                         many orders of the past at once (store.ts)
 *   auth {mode: 'hmac' | 'simple'}         spelling {documented: boolean}
 */
import type { Router } from 'express'
import type { Profile } from './esim-access/profile.ts'
import { allocationForm, plantedOrdersForm } from './esim-access/records.ts'
import { addRoutes, type Served } from './esim-access/routes.ts'
import { createStore, type Store } from './esim-access/store.ts'
import { newNotifyId, webhookTime } from './esim-access/wire.ts'
import { textField } from './fields.ts'
import { type RunningSimulator, startSimulator } from './simulator.ts'
import { type Delivery, WebhookSender } from './webhooks.ts'

export type EsimAccessState = ReturnType<Store['show']> & { webhookUrl: string; deliveries: Delivery[] }

export interface EsimAccessReplies {
  allocate: { allocated: number }
  plant: { planted: { orderNo: string }[] }
  clock: { now: string }
}

export interface EsimAccessOptions {
  port?: number
  /** keeps its state over a restart */
  file?: string | undefined
  accessCode: string
  secretKey: string
  /** the target of webhooks until POST /webhook/save changes it; empty sends none */
  webhookUrl: string
}

/** Starts the simulator; the partner API is under `<url>/api/v1/open`. */
export function startEsimAccess(
  options: EsimAccessOptions,
): Promise<RunningSimulator<EsimAccessState, EsimAccessReplies>> {
  const settings: Served['settings'] = { auth: 'hmac', asDocumented: false, webhookUrl: options.webhookUrl }
  // The vendor documents no retries. A few after a short delay show a brief outage of the receiver as duplicates.
  const webhooks = new WebhookSender({ retries: 3, retryDelayMs: 500 })
  const store = createStore((notifyType, content) => {
    if (!settings.webhookUrl) return
    const url = settings.webhookUrl
    const notifyId = newNotifyId()
    const body = JSON.stringify({ notifyType, notifyId, eventGenerateTime: webhookTime(store.now()), content })
    // An asynchronous provider sends a webhook after the reply to the request that caused it.
    setImmediate(() => webhooks.send(notifyId, () => ({ url, headers: { 'content-type': 'application/json' }, body })))
  })

  function profile(input: Record<string, unknown>): Profile {
    const found =
      store.profileBy({ esimTranNo: textField(input, 'esimTranNo'), iccid: textField(input, 'iccid') }) ??
      store.orderBy({ orderNo: textField(input, 'orderNo'), transactionId: textField(input, 'transactionId') })
        ?.profiles?.[0]
    if (!found) throw new Error('no such eSIM')
    return found
  }

  const { lifecycle, warehouse } = store
  return startSimulator(
    {
      name: 'esim-access',
      refusal: ({ code, status = 200 }) => ({
        status,
        body: { success: false, errorCode: code, errorMsg: 'Refused', obj: null },
      }),
      routes: (router: Router) => addRoutes(router, { ...options, settings, store }),
      state: () => ({ ...store.show(), webhookUrl: settings.webhookUrl, deliveries: webhooks.deliveries }),
      reset() {
        Object.assign(settings, { auth: 'hmac', asDocumented: false, webhookUrl: options.webhookUrl })
        webhooks.reset()
        store.reset()
      },
      kept: store.kept,
      actions: {
        allocation: (input) => store.setAllocation(allocationForm.parse(input)),
        allocate: (input) => ({ allocated: store.allocatePending(textField(input, 'orderNo')) }),
        stock: (input) => warehouse.setStock(textField(input, 'packageCode'), Boolean(input.out)),
        price: (input) => warehouse.setPrice(String(input.packageCode), Number(input.price)),
        odd: ({ entries, alone }) => warehouse.setOdd(Array.isArray(entries) ? entries : [], alone === true),
        balance: (input) => warehouse.setBalance(Number(input.amount)),
        install: (input) => lifecycle.install(profile(input)),
        use: (input) => lifecycle.use(profile(input), Number(input.bytes)),
        expire: (input) => lifecycle.expire(profile(input)),
        remove: (input) => lifecycle.remove(profile(input)),
        // Acts of the provider on its own: nothing returns to our balance.
        withdraw: (input) => lifecycle.cancel(profile(input)),
        revoke: (input) => lifecycle.revoke(profile(input)),
        suspend: (input) => lifecycle.suspend(profile(input)),
        unsuspend: (input) => lifecycle.unsuspend(profile(input)),
        plant: (input) => store.plant(plantedOrdersForm.parse(input.orders)),
        clock: (input) => {
          const target = input.to === undefined ? store.now() : Date.parse(String(input.to))
          const milliseconds = target - store.now() + Number(input.advanceSeconds ?? 0) * 1000
          if (!(milliseconds >= 0)) throw new Error('the clock only goes forward')
          store.advance(milliseconds)
          return { now: new Date(store.now()).toISOString() }
        },
        age: (input) => store.age(Number(input.seconds) * 1000),
        webhooks: (input) => webhooks.configure(input),
        release: (input) => webhooks.release(input),
        auth: (input) => Object.assign(settings, { auth: input.mode }),
        spelling: (input) => Object.assign(settings, { asDocumented: Boolean(input.documented) }),
      },
    },
    options.port,
    options.file,
  )
}
