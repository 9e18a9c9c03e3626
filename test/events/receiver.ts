/**
 * An app backend that takes events: it verifies signatures with the library of Standard Webhooks, and answers as told.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { portOf } from '../../shared/process/listen.ts'

export interface Received {
  /** when it came, Unix milliseconds */
  at: number
  id: string
  type: string
  data: Record<string, string>
  /** each of the secrets given that has signed it */
  signedBy: string[]
}

type Answered = number | [number, Record<string, string>] | 'cut' | 'hang'

/** The answer to an event: a status with headers, a connection that is cut, or nothing at all; now or later. */
export type Answering = (event: Received, attempt: number) => Answered | Promise<Answered>

export async function startReceiver() {
  const received: Received[] = []
  const secrets: string[] = []
  let answering: Answering = () => 204
  const attempts = new Map<string, number>()

  const server = createServer((request, response) => void take(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = Date.now()
    const body = await text(request).catch(() => undefined)
    // A sender that was killed meanwhile waits for no answer.
    if (body === undefined) return
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const signedBy = secrets.filter((secret) => {
      try {
        new Webhook(secret).verify(body, headers)
        return true
      } catch {
        return false
      }
    })
    const { type, data, id } = JSON.parse(body)
    const event = { at, id: headers['webhook-id'] ?? '', type, data, signedBy }
    const attempt = (attempts.get(id) ?? 0) + 1
    attempts.set(id, attempt)
    const answer = await answering(event, attempt)
    if (answer === 'hang') return
    if (answer === 'cut') {
      request.socket.destroy()
      return
    }
    const [status, sent] = typeof answer === 'number' ? [answer, {}] : answer
    if (status < 300) received.push(event)
    response.writeHead(status, sent).end('taken')
  }

  return {
    url: `http://127.0.0.1:${portOf(server)}/events`,
    received,
    secrets,
    /** attempts so far, by the event's id */
    attempts,
    answer(next: Answering): void {
      answering = next
    },
    async stop(): Promise<void> {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
