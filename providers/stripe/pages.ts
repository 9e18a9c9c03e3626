import type Stripe from 'stripe'
import type { StripeClient } from './client.ts'

/** docs.stripe.com/api/pagination */
const pageSize = 100

/** The pages of Stripe's lists, from the newest to the oldest. */
export function createPages(call: StripeClient['call']) {
  return async function* pages<Item extends { id: string }>(
    read: (page: { limit: number; starting_after?: string }) => Promise<Stripe.Response<Stripe.ApiList<Item>>>,
  ): AsyncGenerator<Item[]> {
    for (let after: string | undefined; ; ) {
      const page = await call('reads', () =>
        read({ limit: pageSize, ...(after === undefined ? {} : { starting_after: after }) }),
      )
      yield page.data
      after = page.data.at(-1)?.id
      if (!page.has_more || after === undefined) return
    }
  }
}

/** Unix time, in which Stripe counts. */
export const seconds = (time: Date): number => Math.floor(time.getTime() / 1000)
