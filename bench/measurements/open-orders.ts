/** Whether POST /v1/orders slows down while thousands of orders wait for their payment, and are looked up for it. */
import type { Stack } from '../../dev/stack.ts'
import { untilCatalogued } from '../catalogued.ts'
import { type CpuTime, cpuPerJob, cpuTime } from '../cpu.ts'
import { percentile, round, runRound, timed } from '../measure.ts'
import type { Say } from '../on-stack.ts'
import { openShop } from '../shop.ts'

interface Posts {
  /** orders that waited for their payment meanwhile */
  open: number
  p50Ms: number
  p95Ms: number
  /** processor time of all that happened, for each POST, milliseconds */
  cpu: CpuTime
}

export interface OpenOrderFigures {
  posts: number
  none: Posts
  many: Posts
  /** open orders that were looked up at Stripe during the second measurement */
  lookUps: number
}

const openAtOnce = 10

/** @param open orders that wait for their payment in the second measurement */
export async function benchOpenOrders(
  stack: Stack,
  { open, posts, say }: { open: number; posts: number; say: Say },
): Promise<OpenOrderFigures> {
  await untilCatalogued(stack)
  const shop = await openShop(stack)
  try {
    say('warming up')
    const warmUp = Math.ceil(posts / 4)
    await shop.prepare(warmUp + 2 * posts + open)
    for (let index = 0; index < warmUp; index += 1) await shop.order()
    const none = await measure(warmUp)
    say(`p95 of POST with none: ${round(none.p95Ms)} ms; placing ${open} orders that nobody pays`)
    const placed = await runRound(open, openAtOnce, async () => void (await shop.order()))
    say(`placed ${round(placed.perSecond)} a second`)
    const before = await lookUps()
    const many = await measure(warmUp + posts + open)
    const made = (await lookUps()) - before
    say(`p95 of POST with ${many.open}: ${round(many.p95Ms)} ms, beside ${made} look-ups`)
    return { posts, none, many, lookUps: made }
  } finally {
    shop.close()
  }

  async function measure(openOrders: number): Promise<Posts> {
    const samples: number[] = []
    const before = await cpuTime()
    for (let index = 0; index < posts; index += 1) samples.push(await timed(() => shop.order()))
    const cpu = cpuPerJob(before, await cpuTime(), posts)
    return { open: openOrders, p50Ms: percentile(samples, 0.5), p95Ms: percentile(samples, 0.95), cpu }
  }

  /** Each one is a GET of a PaymentIntent at the simulated Stripe. */
  async function lookUps(): Promise<number> {
    return (await stack.sims.stripe.log()).filter(
      ({ method, url }) => method === 'GET' && url.startsWith('/v1/payment_intents/'),
    ).length
  }
}
