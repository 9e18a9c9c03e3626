/** An endpoint that stores received webhooks, for which a test can wait. */
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { portOf } from '../../shared/process/listen.ts'

export interface ReceivedWebhook {
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

export async function startWebhookReceiver() {
  const received: ReceivedWebhook[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  let answer = 200
  const server = createServer(async (request, response) => {
    received.push({ headers: request.headers, body: await buffer(request) })
    response.writeHead(answer).end('seen')
    for (const wait of waiting) if (received.length >= wait.count) wait.resolve()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${portOf(server)}/webhooks`,
    /** resolves to all webhooks once there are `count`; without them the test's time limit ends the wait */
    async atLeast(count: number): Promise<ReceivedWebhook[]> {
      if (received.length < count) await new Promise<void>((resolve) => waiting.push({ count, resolve }))
      return received
    },
    answerWith(status: number): void {
      answer = status
    },
    clear(): void {
      received.length = 0
      waiting.length = 0
      answer = 200
    },
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
