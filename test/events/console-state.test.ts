/** The console shows where our events are sent, and whether they are taken. */
import { afterAll, expect, test } from 'vitest'
import { createSurfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'
import { startReceiver } from './receiver.ts'

const harness = await shareStack()
const { service } = harness
const path = '/v1/webhook-endpoints'
const receivers: Awaited<ReturnType<typeof startReceiver>>[] = []

afterAll(async () => {
  await harness.context.sql`delete from webhook_endpoints`
  for (const { stop } of receivers) await stop()
})

async function endpointOf(query: string) {
  const receiver = await startReceiver()
  receivers.push(receiver)
  const url = `${receiver.url}${query}`
  const { id } = expectStatus(await service.post(path, { url, types: ['policy.moved'] }), 201)
  const { host } = new URL(url)
  return { receiver, id: String(id), host }
}

test('the console shows each endpoint with what it has taken, what it has not, and why none is sent', async () => {
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  expect((await surfer.open('/console')).html).toContain('are sent nowhere')
  const taking = await endpointOf('?token=of-the-receiver')
  const failing = await endpointOf('')
  failing.receiver.answer(() => 503)
  for (const { id } of [taking, failing]) expectStatus(await service.post(`${path}/${id}/ping`), 202)
  const read = async (id: string) => expectStatus(await service.get(`${path}/${id}`), 200)
  await until('one has arrived', async () => (await read(taking.id)).lastDeliveredAt !== null)
  await until('the other was not taken', async () => (await read(failing.id)).waiting === 1)
  const { html } = await surfer.open('/console')
  expect(html).toContain(`Our events to ${taking.host}`)
  expect(html).not.toContain('of-the-receiver')
  expect(html).toMatch(/took one 0 min ago/)
  expect(html).toMatch(/has taken none yet.*1 not taken, the oldest for 0 min: http_503/)

  expectStatus(await service.patch(`${path}/${failing.id}`, { state: 'disabled' }), 200)
  expect((await surfer.open('/console')).html).toContain('disabled: as its owner has asked for; has taken none yet')
})
