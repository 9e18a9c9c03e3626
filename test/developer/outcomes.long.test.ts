/** Each row of the quickstart's table of outcomes: its test package and its test card lead to what the row says. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { OrderView } from '../harness/purchases.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const page = await readFile(new URL('../../docs/quickstart.md', import.meta.url), 'utf8')

interface Row {
  name: string
  packageCode: string | undefined
  card: string | undefined
}
const rows = page
  .slice(page.indexOf('## Every outcome'))
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .slice(2)
  .map((line): Row => {
    const [, name = '', packages = '', cards = ''] = line.split('|').map((cell) => cell.trim())
    return { name, packageCode: /`(aq-[\w-]+)`/.exec(packages)?.[1], card: /`(pm_\w+)`/.exec(cards)?.[1] }
  })

const { sims, service, operator, untilOrder } = harness
const pageOf = ({ payment }: OrderView) => `${sims.stripe.url}/pay/${payment.paymentIntentClientSecret}`

const confirmed = z.object({
  status: z.string().nullish(),
  error: z.object({ decline_code: z.string().nullish() }).nullish(),
})

/** Confirms a payment as an app's payment sheet does. */
async function confirm({ payment }: OrderView, card: string): Promise<string> {
  const { paymentIntentClientSecret: secret, publishableKey } = payment
  const answer = await fetch(`${sims.stripe.url}/v1/payment_intents/${secret.split('_secret_')[0]}/confirm`, {
    method: 'POST',
    headers: { authorization: `Bearer ${publishableKey}` },
    body: new URLSearchParams({ client_secret: secret, payment_method: card }),
  })
  const { status, error } = confirmed.parse(await answer.json())
  return status ?? error?.decline_code ?? String(answer.status)
}

/** The outcome of each confirmation. @param said the payment processor's answer to the confirmation */
const outcomes: Record<string, (order: OrderView, said: string) => Promise<unknown>> = {
  success: ({ id }) => untilOrder(id, 'delivered'),
  async 'a declined card'({ id }, said) {
    expect(said).toBe('generic_decline')
    expect(expectStatus(await service.get(`/v1/orders/${id}`), 200).status).toBe('awaiting_payment')
  },
  async '3D Secure'(order, said) {
    expect(said).toBe('requires_action')
    await fetch(`${pageOf(order)}/authenticate`, { method: 'POST', body: new URLSearchParams({ as: 'pass' }) })
    await untilOrder(order.id, 'delivered')
  },
  async 'a review'({ id }) {
    await untilOrder(id, 'in_review')
    expectStatus(await operator.post(`/v1/orders/${id}/approve`), 200)
    await untilOrder(id, 'delivered')
  },
  async 'a refund that bounces'({ id }) {
    await untilOrder(id, 'delivered')
    expectStatus(await service.post(`/v1/orders/${id}/refund`), 200)
    await untilOrder(id, 'refund_failed')
  },
  async 'a dispute'({ id }) {
    await untilOrder(id, 'delivered')
    const order = async (): Promise<OrderView> => expectStatus(await service.get(`/v1/orders/${id}`), 200)
    expect((await untilValue('it is disputed', order, ({ dispute }) => dispute !== null)).status).toBe('delivered')
  },
  async 'no stock'({ id }) {
    expect((await untilOrder(id, 'refunded')).reason).toBe('out_of_stock')
  },
  async 'a slow provider'({ id }) {
    await untilOrder(id, 'provisioning')
    await until('the provider allocates', async () => (await sims.esimAccess.do('allocate')).allocated === 1)
    await untilOrder(id, 'delivered')
  },
}

test('each outcome and each test package has its row in the table of outcomes', async () => {
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(outcomes))
  const { items } = expectStatus(await harness.anonymous.get('/v1/packages?destination=AQ'), 200)
  const listed: string[] = items.map(({ code }: { code: string }) => code)
  expect(rows.flatMap(({ packageCode }) => packageCode ?? []).sort()).toEqual(listed.sort())
})

const ways = rows.flatMap(({ name, packageCode, card }) => [
  ...(packageCode === undefined ? [] : [{ name, by: packageCode, packageCode, card: 'pm_card_visa' }]),
  ...(card === undefined ? [] : [{ name, by: card, packageCode: 'de-1gb-7d', card }]),
])

test.each(ways)('the outcome $name is reached by $by', async ({ name, packageCode, card }) => {
  const order = await harness.buy(await harness.signUp(), { packageCode, pay: false })
  await outcomes[name]?.(order, await confirm(order, card))
})

test('the payment page says what an amount leads to', async () => {
  const order = await harness.buy(await harness.signUp(), { packageCode: 'aq-3gb-7d', pay: false })
  const text = await (await fetch(pageOf(order))).text()
  expect(text).toContain('Pay €101.49')
  expect(text).toContain('This amount with any card below that is paid: Declined.')
})
