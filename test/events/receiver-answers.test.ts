/** What the answer of a receiver means for the next attempt: standardwebhooks.com, and RFC 9110 for `Retry-After`. */
import { createServer } from 'node:http'
import { afterAll, expect, test } from 'vitest'
import { createEventReceivers } from '../../providers/event-receiver.ts'
import { listenOn } from '../../shared/process/listen.ts'

let answer: { status: number; retryAfter?: string } = { status: 200 }
const server = createServer((_request, response) => {
  const { status, retryAfter } = answer
  response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end()
})
const port = await listenOn(server, 0, '127.0.0.1')
const receivers = createEventReceivers({ internal: true })
afterAll(async () => {
  await receivers.close()
  server.closeAllConnections()
  server.close()
})

async function pauseAfter(status: number, retryAfter?: string): Promise<number | undefined> {
  answer = { status, ...(retryAfter !== undefined && { retryAfter }) }
  const outcome = await receivers.deliver({
    id: 'e',
    url: `http://127.0.0.1:${port}/`,
    body: '{}',
    secrets: [`whsec_${btoa('x'.repeat(32))}`],
    at: new Date(),
  })
  if (outcome.delivered) throw new Error('it was delivered')
  return outcome.retryAfterMs
}

test.each([408, 429, 500, 502, 503, 504])(
  'a receiver that answers %i is given the time that it asks for',
  async (status) => {
    expect(await pauseAfter(status, '120')).toBe(120_000)
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString()
    const pause = (await pauseAfter(status, inAnHour)) ?? 0
    expect(pause).toBeGreaterThan(3_000_000)
    expect(pause).toBeLessThanOrEqual(3_600_000)
  },
)

test.each([undefined, '', '0', '-5', 'soon', '1e9', '12345678', 'Fri, 31 Dec 1999 23:59:59 GMT'])(
  'a time of %s is no time',
  async (retryAfter) => {
    expect(await pauseAfter(503, retryAfter)).toBeUndefined()
  },
)

test('a receiver that refuses one event does not have the others wait', async () => {
  expect(await pauseAfter(422, '120')).toBeUndefined()
})
