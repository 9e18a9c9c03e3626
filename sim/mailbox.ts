/**
 * A simulator of all recipients' mail servers: it accepts every mail by SMTP and shows the mails on its own HTTP port.
 *
 * Actions: `rule` (see Rule in smtp.ts), `clear-rules`, `find` and `wait` ({ to?, subject?, messageId?, after?, limit?,
 * count?, timeoutMs? }), `count`, `raw` ({ id }), `bounce` ({ id?, messageId?, status?, url? }: posts a delivery status
 * notification as message/rfc822), `webhooks` ({ url?, drop?, copies?, delayMs?, hold? }), `release` ({ order? }).
 */
import type { Response, Router } from 'express'
import { composeBounce } from './mailbox/bounce.ts'
import { inboxPage, mailPage } from './mailbox/inbox.tsx'
import { ruleForm, type SmtpSink, startSmtpSink } from './mailbox/smtp.ts'
import { createStore, mailFilterForm, type ReadMail, readMail, type StoredMail } from './mailbox/store.ts'
import { type RunningSimulator, startSimulator } from './simulator.ts'
import { type Delivery, WebhookSender } from './webhooks.ts'

export interface MailboxOptions {
  /** the inbox's HTTP port; default 0: a free one */
  port?: number
  /** the SMTP port; default 0: a free one */
  smtpPort?: number
  /** `envelopes` leaves out the content, for many thousand messages; default `all` */
  keep?: 'all' | 'envelopes'
  /** the default target of bounces */
  bounceUrl?: string
}

export interface MailboxState {
  /** without their content, which the actions `find` and `wait` read */
  messages: Omit<StoredMail, 'raw'>[]
  refusals: SmtpSink['refusals']
  bounces: Delivery[]
}

export interface MailboxReplies {
  find: ReadMail[]
  wait: ReadMail[]
  count: { count: number }
  raw: { raw: string | null }
}

export interface RunningMailbox extends RunningSimulator<MailboxState, MailboxReplies> {
  smtpPort: number
  /** `smtp://127.0.0.1:<port>` */
  smtpUrl: string
}

const shownInList = 200

/** Starts the SMTP and the HTTP server. */
export async function startMailbox(options: MailboxOptions = {}): Promise<RunningMailbox> {
  const store = createStore(options.keep ?? 'all')
  const smtp = await startSmtpSink(store, options.smtpPort ?? 0)
  const webhooks = new WebhookSender({ retries: 3, retryDelayMs: 200 })
  let bounceUrl = options.bounceUrl

  const simulator = await startSimulator(
    {
      name: 'mailbox',
      routes,
      // Without content, which the actions `find` and `wait` return.
      state: () => ({
        messages: store.envelopes(),
        refusals: smtp.refusals,
        bounces: webhooks.deliveries,
      }),
      reset() {
        store.clear()
        smtp.rules.clear()
        smtp.refusals.length = 0
        webhooks.reset()
      },
      actions: {
        rule: (input) => smtp.rules.add(ruleForm.parse(input)),
        'clear-rules': () => smtp.rules.clear(),
        find: (input) => store.find(mailFilterForm.parse(input)),
        wait: ({ count = 1, timeoutMs = 10_000, ...filter }) =>
          store.wait(mailFilterForm.parse(filter), Number(count), Number(timeoutMs)),
        count: () => ({ count: store.count() }),
        raw: ({ id }) => ({ raw: store.byId(Number(id))?.raw?.toString('utf8') ?? null }),
        bounce,
        webhooks({ url, ...change }) {
          if (typeof url === 'string') bounceUrl = url
          webhooks.configure(change)
        },
        release: (input) => webhooks.release(input),
      },
    },
    options.port,
  )

  return {
    ...simulator,
    name: 'mailbox',
    smtpPort: smtp.port,
    smtpUrl: `smtp://127.0.0.1:${smtp.port}`,
    stop: async () => {
      await Promise.all([simulator.stop(), smtp.stop()])
    },
  }

  async function bounce({
    id,
    messageId,
    status = '5.1.1',
    url = bounceUrl,
  }: Record<string, unknown>): Promise<unknown> {
    if (typeof url !== 'string') throw new Error('no url to post the bounce to')
    const mail =
      id === undefined ? (await store.find({ messageId: String(messageId) })).at(-1) : await readById(Number(id))
    if (!mail) throw new Error('no such message')
    const body = await composeBounce(mail, String(status))
    webhooks.send(`bounce-${mail.id}`, () => ({ url, headers: { 'content-type': 'message/rfc822' }, body }))
    return { to: mail.envelope.from }
  }

  async function readById(id: number): Promise<ReadMail | undefined> {
    const mail = store.byId(id)
    return mail && readMail(mail)
  }

  function routes(router: Router): void {
    router.get('/', async (_request, response) => {
      send(response, 'text/html', inboxPage(await Promise.all(store.newest(shownInList).map(readMail)), store.count()))
    })
    router.get('/messages/:id', async (request, response) => {
      const mail = await readById(Number(request.params.id))
      if (mail) send(response, 'text/html', mailPage(mail))
      else send(response.status(404), 'text/plain', 'no such message')
    })
    router.get('/messages/:id/raw', (request, response) => {
      const raw = store.byId(Number(request.params.id))?.raw
      send(response.status(raw ? 200 : 404), 'text/plain', raw?.toString('utf8') ?? 'no such message')
    })
    router.get('/messages/:id/attachments/:index', async (request, response) => {
      const mail = await readById(Number(request.params.id))
      const attachment = mail?.attachments[Number(request.params.index)]
      if (!attachment) return send(response.status(404), 'text/plain', 'no such attachment')
      response.attachment(attachment.filename || 'attachment')
      response.type('application/octet-stream').send(Buffer.from(attachment.base64, 'base64'))
    })
  }
}

/** Sends a page whose policy forbids scripts and foreign content, since a message can hold anything. */
function send(response: Response, type: string, body: string): void {
  response
    .set({
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'",
      'x-content-type-options': 'nosniff',
    })
    .type(type)
    .send(body)
}
