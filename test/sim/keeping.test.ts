/**
 * Stripe and the eSIM providers keep their books over a restart of their simulators, when there is a folder for them.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { startAiralo } from '../../sim/airalo.ts'
import { controlOf } from '../../sim/control.ts'
import { startEsimAccess } from '../../sim/esim-access.ts'
import { startStripe } from '../../sim/stripe.ts'
import { withId } from '../harness/http.ts'

const folder = await throwawayFolder('ama-esim-keeping-')
afterAll(() => rm(folder, { recursive: true, force: true }))
const stripeSettings = { secretKey: 'sk_test_x', webhookSecret: 'whsec_x' }

async function newCustomer(url: string, idempotencyKey: string): Promise<string> {
  const response = await fetch(`${url}/v1/customers`, {
    method: 'POST',
    headers: { authorization: 'Bearer sk_test_x', 'idempotency-key': idempotencyKey },
    body: new URLSearchParams({ 'metadata[account_ref]': 'x' }),
  })
  return withId.parse(await response.json()).id
}

test('Stripe’s account, its clock and the answers to idempotency keys outlive the simulator', async () => {
  const file = join(folder, 'stripe')
  const first = await startStripe({ ...stripeSettings, file })
  const customer = await newCustomer(first.url, 'a key')
  await controlOf(first).do('clock', { advanceSeconds: 3_600 })
  const before = await controlOf(first).state()
  await first.stop()

  const second = await startStripe({ ...stripeSettings, file })
  expect(await controlOf(second).state()).toMatchObject({ customers: before.customers, events: before.events })
  expect(await newCustomer(second.url, 'a key')).toBe(customer)
  expect(await newCustomer(second.url, 'another')).not.toBe(customer)
  const made = (await controlOf(second).state()).customers.map((each) => ('created' in each ? each.created : 0))
  expect(Math.abs((made.at(-1) ?? 0) - Date.now() / 1000 - 3_600)).toBeLessThan(600)
  await controlOf(second).reset()
  await second.stop()

  // A state that was reset is gone, and without a file nothing is kept.
  for (const options of [{ file }, {}]) {
    const empty = await startStripe({ ...stripeSettings, ...options })
    expect((await controlOf(empty).state()).customers).toEqual([])
    await empty.stop()
  }
})

test('orders, eSIMs and balance of eSIM Access outlive the simulator, also an order that is being allocated', async () => {
  const options = { accessCode: 'a', secretKey: 's', webhookUrl: '', file: join(folder, 'esim-access') }
  const first = await startEsimAccess(options)
  await controlOf(first).do('plant', {
    orders: [{ packageCode: 'CKH100', transactionId: 't-1', createdAt: Date.now() - 1_000 }],
  })
  await controlOf(first).do('balance', { amount: 1_234 })
  await controlOf(first).do('install', { transactionId: 't-1' })
  const before = await controlOf(first).state()
  await first.stop()

  const second = await startEsimAccess(options)
  expect(await controlOf(second).state()).toEqual(before)
  await controlOf(second).do('use', { transactionId: 't-1', bytes: 1_000 })
  const [esim] = (await controlOf(second).state()).esims
  expect(esim).toMatchObject({ orderUsage: 1_000, esimStatus: 'IN_USE' })
  await second.stop()
})

test('orders, eSIMs and credit of Airalo outlive the simulator, and new ids follow the old ones', async () => {
  const options = { clientId: 'c', clientSecret: 's', webhookUrl: '', file: join(folder, 'airalo') }
  const plant = { orders: [{ packageId: 'hallo-mobil-7days-1gb', description: 'x', createdAt: Date.now() - 1_000 }] }
  const first = await startAiralo(options)
  const { planted } = await controlOf(first).do('plant', plant)
  await controlOf(first).do('balance', { amount: 12 })
  const before = await controlOf(first).state()
  await first.stop()

  const second = await startAiralo(options)
  expect(await controlOf(second).state()).toEqual(before)
  const more = await controlOf(second).do('plant', plant)
  expect(Number(more.planted[0]?.orderId)).toBeGreaterThan(Number(planted[0]?.orderId))
  await second.stop()
})

test('a file of books that cannot be read stops the simulator from starting, and is named', async () => {
  const file = join(folder, 'broken')
  await writeFile(file, 'no books')
  await expect(startStripe({ ...stripeSettings, file })).rejects.toThrow(file)
})
