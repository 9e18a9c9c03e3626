/** The simulators' webhook sender repeats refused deliveries, and stops with its simulator. */
import { afterAll, beforeEach, expect, test } from 'vitest'
import { startApple } from '../../sim/apple.ts'
import { controlOf } from '../../sim/control.ts'
import { WebhookSender } from '../../sim/webhooks.ts'
import { startWebhookReceiver } from '../providers/webhook-receiver.ts'

const receiver = await startWebhookReceiver()
afterAll(() => receiver.stop())
beforeEach(() => receiver.clear())

const request = (body: string) => () => ({ url: receiver.url, headers: {}, body })
const bodies = async (count: number) => (await receiver.atLeast(count)).map(({ body }) => body.toString())

test('the webhook sender repeats a refused delivery as often as configured', async () => {
  const sender = new WebhookSender({ retries: 2, retryDelayMs: 10 })
  receiver.answerWith(500)
  sender.send('refused', request('refused'))
  expect(await bodies(3)).toEqual(['refused', 'refused', 'refused'])
  sender.reset()
})

test('the webhook sender has many simultaneous deliveries without a warning about listeners', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => void warnings.push(warning)
  process.on('warning', note)
  const sender = new WebhookSender({ retries: 0, retryDelayMs: 0 })
  sender.configure({ copies: 30, delayMs: 5 })
  sender.send('many', request('many'))
  expect(await bodies(30)).toHaveLength(30)
  process.off('warning', note)
  expect(warnings).toEqual([])
})

test('the webhook sender repeats and sends nothing after a reset', async () => {
  const sender = new WebhookSender({ retries: 5, retryDelayMs: 20 })
  receiver.answerWith(500)
  sender.send('refused', request('refused'))
  await receiver.atLeast(1)
  sender.configure({ delayMs: 20 })
  sender.send('late', request('late'))
  sender.reset()
  sender.configure({ delayMs: 150 })
  receiver.answerWith(200)
  sender.send('next', request('next'))
  expect(await bodies(2)).toEqual(['refused', 'next'])
})

test('a stopped simulator repeats no webhooks', async () => {
  const apple = await startApple({ webhookUrl: receiver.url })
  receiver.answerWith(500)
  await controlOf(apple).do('notify', { type: 'consent-revoked', sub: 'a' })
  await receiver.atLeast(1)
  await apple.stop()
  // The Apple simulator repeats after 200 ms.
  const later = new WebhookSender({ retries: 0, retryDelayMs: 0 })
  later.configure({ delayMs: 500 })
  later.send('later', request('later'))
  const received = await bodies(2)
  expect(received.at(-1)).toBe('later')
})
