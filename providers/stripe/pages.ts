import type { StripeClient, StripeReply } from './client.ts'

/** docs.stripe.com/api/pagination */
const pageSize = 100

interface Page<Item> extends StripeReply {
  data: Item[]
  has_more: boolean
}

type ReadPage<Item> = (page: { limit: number; starting_after?: string }) => Promise<Page<Item>>

/** The pages of Stripe's lists, from the newest to the oldest. */
export function createPages(call: StripeClient['call']) {
  return async function* pages<Item extends { id: string }>(read: ReadPage<Item>): AsyncGenerator<Item[]> {
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

/** A list to its end, for what is few as a rule: no rule of Stripe's says how many there can be. */
export async function toTheEnd<Item>(pages: AsyncIterable<Item[]>): Promise<Item[]> {
  const all: Item[] = []
  for await (const page of pages) all.push(...page)
  return all
}

/** Unix time, in which Stripe counts. */
export const seconds = (time: Date): number => Math.floor(time.getTime() / 1000)
