/**
 * U2 and P2: paid means delivered or refunded, and no card data is stored. Pairs of passing faults at every call for a
 * person on the web: paid once or never, and a card is gone for good.
 */
import { expect, test } from 'vitest'
import type { Surfer } from '../../harness/browser.ts'
import { shareStack } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'
import { visit } from '../../harness/visits.ts'
import { eachOf, missingAtStripe, pairs, passing, plantPairs } from './plant-pairs.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { service } = harness

const reads = pairs([...passing, missingAtStripe])
/** A refusal of what nobody has paid yet is final, and the person reads it. */
const creating = pairs(passing.filter(({ status }) => status !== 404))
const pageCalls = [
  { method: 'GET', path: '/v1/checkout/sessions/', of: '/v1/checkout/sessions/(cs_\\w+)' },
  { method: 'POST', path: '/v1/checkout/sessions/\\w+/expire$', of: 'sessions/(cs_\\w+)/expire' },
]
const cardCalls = [
  { method: 'GET', path: '/v1/customers/\\w+/payment_methods', of: '/v1/customers/(cus_\\w+)/payment_methods' },
  { method: 'GET', path: '/v1/payment_methods/', of: '/v1/payment_methods/(\\w+) ' },
  { method: 'POST', path: '/v1/payment_methods/\\w+/detach$', of: '/v1/payment_methods/(\\w+)/detach' },
]

const status = async (id: string): Promise<string> => (await service.get(`/v1/orders/${id}`)).body.status

const paymentsOf = async (orderId: string) =>
  (await stripe.state()).paymentIntents.filter(({ metadata }) => metadata.order_id === orderId)

/** Sends the same form until it is taken. Each answer before says that Stripe is down, and shows the form again. */
async function sent(surfer: Surfer, path: string, form: Record<string, string>): Promise<string> {
  const { location } = await untilValue(
    `the form of ${path} is taken`,
    async () => {
      const shown = await surfer.post(path, form)
      expect([303, 503], shown.html).toContain(shown.status)
      return shown
    },
    (shown) => shown.status === 303,
    { everyMs: 100 },
  )
  return location ?? ''
}

const hidden = (html: string, name: string): string =>
  new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''

async function payAddress(surfer: Surfer, orderPath: string): Promise<string> {
  return untilValue(
    'the way to pay is shown',
    async () => {
      const { status: answered, html } = await surfer.open(orderPath)
      expect(answered).toBe(200)
      return /href="(http[^"]+\/c\/pay\/[^"]+)"/.exec(html)?.[1] ?? ''
    },
    (address) => address !== '',
  )
}

const pay = (address: string) =>
  fetch(address, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ number: '4242424242424242' }) })

async function untilWithinTheHour(id: string, wanted: string): Promise<void> {
  for (let minutes = 0; minutes < 55 && (await status(id)) !== wanted; minutes += 5)
    await harness.fastForward(id, '5 minutes')
  await harness.untilOrder(id, wanted)
}

const endings = ['paid', 'cancelled', 'forgotten'] as const

test('top-ups on the web with pairs of faults at every call are paid once, or cannot be paid any more', {
  timeout: 300_000,
}, async () => {
  const tops = reads.flatMap((_pair, number) => endings[number % endings.length] ?? [])
  const people = await eachOf(tops, async (ending) => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    return { ending, surfer: await visit(harness.stack, person), path: `/account/esims/${order.esims[0].id}/top-up` }
  })
  await plantPairs(
    stripe,
    [{ method: 'POST', path: '/v1/checkout/sessions$', of: 'client_reference_id=([\\w-]+)' }],
    creating,
  )
  await plantPairs(stripe, pageCalls, reads)
  await eachOf(people, async ({ ending, surfer, path }) => {
    const { html } = await surfer.open(path)
    const form = { csrf: hidden(html, 'csrf'), once: hidden(html, 'once'), packageCode: testPackages.topUp }
    const orderPath = await sent(surfer, path, form)
    expect(await sent(surfer, path, form)).toBe(orderPath)
    const id = orderPath.split('/').at(-1) ?? ''
    const address = await payAddress(surfer, orderPath)
    if (ending === 'paid') {
      expect((await pay(address)).status).toBe(303)
      await untilWithinTheHour(id, 'delivered')
      expect((await paymentsOf(id)).map((each) => each.status)).toEqual(['succeeded'])
      return
    }
    if (ending === 'cancelled') {
      const answer = await service.post(`/v1/orders/${id}/cancel`)
      expect([200, 409, 503], answer.text).toContain(answer.status)
      await untilWithinTheHour(id, 'cancelled')
    } else {
      await harness.fastForward(id, '25 hours')
      await harness.untilOrder(id, 'unpaid')
    }
    expect(await (await pay(address)).text()).toContain('has expired')
    expect(await paymentsOf(id)).toEqual([])
  })
  await stripe.clearFaults()
  await harness.checkBooks()
})

test('saved cards with pairs of faults at every call are shown, and removed at the request of their person', {
  timeout: 240_000,
}, async () => {
  const people = await eachOf(reads, async () => {
    const person = await harness.signUp()
    const { id } = await harness.buy(person, {
      packageCode: testPackages.onlyEsimAccess,
      order: { savedCards: true },
    })
    const { card } = await stripe.do('save-card', { orderId: id })
    return { card, surfer: await visit(harness.stack, person) }
  })
  await plantPairs(stripe, cardCalls, reads)
  await eachOf(people, async ({ card, surfer }) => {
    const { html } = await untilValue(
      'the card is shown',
      async () => {
        const shown = await surfer.open('/account/data')
        expect(shown.status).toBe(200)
        return shown
      },
      (shown) => shown.html.includes('•••• 4242'),
    )
    await sent(surfer, `/account/cards/${card}/remove`, { csrf: hidden(html, 'csrf') })
    const cards = (await stripe.state()).cards.filter(({ id }) => id === card)
    expect(cards.map(({ customer }) => customer)).toEqual([null])
    expect((await surfer.open('/account/data')).html).not.toContain('•••• 4242')
  })
  await stripe.clearFaults()
})
