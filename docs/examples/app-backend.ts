/** An app backend that sells eSIMs by events alone: it never asks whether something has changed. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'

type AmaEvent = { id: string; type: string; data: { orderId: string } }
const { AMA_URL = '', AMA_KEY = '', OWN_URL = '', PORT = '3000', SECRET_FILE = 'ama-secret' } = process.env

// biome-ignore lint/suspicious/noExplicitAny: in earnest use the typed client
async function ama(path: string, body?: string, key: string | string[] = ''): Promise<any> {
  const sent = { authorization: `Bearer ${AMA_KEY}`, 'content-type': 'application/json', 'idempotency-key': `${key}` }
  const answer = await fetch(AMA_URL + path, { headers: sent, ...(body && { method: 'POST', body }) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return answer.json()
}

// In earnest: the secret in a vault, what was seen in a table, and a push message to the app in place of a line.
if (!existsSync(SECRET_FILE))
  writeFileSync(SECRET_FILE, (await ama('/v1/webhook-endpoints', `{"url":"${OWN_URL}/events"}`, OWN_URL)).secret)
const [webhook, seen] = [new Webhook(readFileSync(SECRET_FILE, 'utf8')), new Set<string>()]

createServer(async (request, response) => {
  const body = await text(request)
  try {
    // The app makes the key with the cart, and sends it with each attempt to buy.
    const key = request.headers['idempotency-key']
    if (request.url === '/buy') return void response.end(JSON.stringify(await ama('/v1/orders', body, key)))
    const event = webhook.verify(body, request.headers as Record<string, string>) as AmaEvent
    if (!seen.has(event.id) && event.type === 'order.delivered') {
      // A top-up has no eSIM of its own: its data is on one of the order `topUpOf`.
      const { id, topUpOf, esims } = await ama(`/v1/orders/${event.data.orderId}`)
      console.log(JSON.stringify({ order: id, ...(topUpOf ? { topUpOf } : { installUrl: esims[0].iosInstallUrl }) }))
    }
    seen.add(event.id)
    response.writeHead(204).end()
  } catch (error) {
    response.writeHead(error instanceof WebhookVerificationError ? 400 : 500).end(String(error))
  }
}).listen(Number(PORT), () => console.log('listening'))
