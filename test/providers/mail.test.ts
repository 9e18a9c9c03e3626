import { Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { readBounce } from '../../providers/mail/bounce.ts'
import { createMail, type MailSender, type Recipient, type RenderedMail } from '../../providers/mail/mail.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { type RunningMailbox, startMailbox } from '../../sim/mailbox.ts'
import { failureOf } from './failing.ts'
import { startWebhookReceiver } from './webhook-receiver.ts'

let mailbox: RunningMailbox
let mail: MailSender
let sim: ControlOf<typeof startMailbox>

const message = ({
  to = 'planted.person@example.com',
  messageId = '<order.1.ready@mail.ama-esim.example>',
  ...change
}: Partial<RenderedMail & Pick<Recipient, 'to' | 'messageId'>> = {}): [RenderedMail, Recipient] => [
  {
    subject: 'Your eSIM for Österreich',
    html: '<p>Scan <img src="cid:qr" alt="code"></p>',
    text: 'Scan the code',
    ...change,
  },
  { kind: 'transactional', to, messageId },
]

const settings = () => ({
  url: mailbox.smtpUrl,
  from: 'AMA eSIM <hello@ama-esim.example>',
  envelopeDomain: 'bounce.ama-esim.example',
})

beforeAll(async () => {
  mailbox = await startMailbox()
  sim = controlOf(mailbox)
  mail = createMail(settings())
})

beforeEach(() => sim.reset())

afterAll(async () => {
  await mail.close()
  await mailbox.stop()
})

test('a mail arrives complete, with its own envelope sender and an inline image', async () => {
  const png = Buffer.from('89504e470d0a1a0a', 'hex')
  const attachments = [{ filename: 'esim.png', contentType: 'image/png', content: png, cid: 'qr' }]
  expect(await mail.send(...message({ attachments }))).toEqual({ accepted: true })
  const [received] = await sim.do('find', { to: 'planted.person@example.com' })
  expect(received).toMatchObject({
    envelope: { from: 'bounces+order.1.ready@bounce.ama-esim.example', to: ['planted.person@example.com'] },
    messageId: '<order.1.ready@mail.ama-esim.example>',
    subject: 'Your eSIM for Österreich',
    text: 'Scan the code',
    headers: { from: 'AMA eSIM <hello@ama-esim.example>', 'auto-submitted': 'auto-generated' },
    attachments: [{ cid: 'qr', contentType: 'image/png', base64: png.toString('base64') }],
  })
  expect(received?.headers).not.toHaveProperty('list-unsubscribe')
})

test('P5: only promotions have the one-click headers of RFC 8058', async () => {
  const [promotion, recipient] = message()
  const listUnsubscribe = { url: 'https://ama-esim.example/u/opaque' }
  await mail.send(promotion, { ...recipient, kind: 'promotional', listUnsubscribe })
  const [received] = await sim.do('find')
  expect(received?.headers).toMatchObject({
    'list-unsubscribe': '<https://ama-esim.example/u/opaque>',
    'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
  })
})

test.each([
  [{ code: 451 }, 'unavailable smtp_4.3.0'],
  [{ code: 550 }, 'rejected smtp_5.1.1'],
  [{ code: 550, reply: '5.1.10 Null MX' }, 'rejected smtp_5.1.10'],
  [{ code: 550, reply: '5.1.7 Bad sender' }, 'misconfigured smtp_5.1.7'],
  [{ code: 550, reply: '5.1.0 <a@b>: Sender address rejected: User unknown' }, 'misconfigured smtp_5.1.0'],
  [{ code: 550, reply: '5.1.90 You have reached your daily limit' }, 'misconfigured smtp_5.1.90'],
  [{ code: 550, reply: '5.7.1 Blocked' }, 'misconfigured smtp_5.7.1'],
  [{ code: 550, reply: '5.7.999 Blocked' }, 'misconfigured smtp_5.7.999'],
  [{ code: 550, reply: '4.1.1 Contradicts itself' }, 'misconfigured smtp_550'],
  [{ code: 550, reply: 'No such user' }, 'misconfigured smtp_550'],
  [{ code: 552, reply: '5.3.4 Too big', stage: 'data' }, 'misconfigured smtp_5.3.4'],
  [{ code: 451, reply: '5.1.1 Contradicts itself' }, 'unavailable smtp_451'],
  [{ code: 452, stage: 'data' }, 'unavailable smtp_4.3.0'],
  [{ code: 499, reply: 'Nobody knows this' }, 'unavailable smtp_499'],
  [{ code: 554, stage: 'data' }, 'rejected smtp_5.1.1'],
])('a mail refused with %o is translated to its failure', async (rule, expected) => {
  await sim.do('rule', rule)
  expect(await failureOf(mail.send(...message()))).toBe(expected)
  expect(await mail.send(...message())).toEqual({ accepted: true })
  expect((await sim.state()).messages).toHaveLength(1)
})

test('a recipient rule of the mail simulator applies until it is cleared, and only to its recipient', async () => {
  await sim.do('rule', { recipient: '@example.com', code: 550 })
  expect(await failureOf(mail.send(...message()))).toBe('rejected smtp_5.1.1')
  expect(await failureOf(mail.send(...message()))).toBe('rejected smtp_5.1.1')
  expect(await mail.send(...message({ to: 'a@example.org' }))).toEqual({ accepted: true })
})

test.each(['before', 'after'])(
  'a connection cut after DATA (%s it was stored) leaves the outcome unknown',
  async (drop) => {
    await sim.do('rule', { drop })
    expect(await failureOf(mail.send(...message()))).toBe('unknown_outcome econnection')
    // Accepted at most once: the client library must not retry.
    expect((await sim.state()).messages).toHaveLength(drop === 'after' ? 1 : 0)
  },
)

test('a mail server has ten minutes for each of its answers, as RFC 5321 has it for that to DATA', async () => {
  const limits = vi.spyOn(Socket.prototype, 'setTimeout')
  onTestFinished(() => limits.mockRestore())
  const fresh = createMail(settings())
  await fresh.send(...message())
  await fresh.close()
  // The simulator limits its own sockets as well, in the same process.
  expect(limits.mock.calls.map(([ms]) => ms)).toContain(10 * 60_000)
})

test('a mail whose DATA is answered after twelve seconds is accepted, and sent once', {
  tags: 'long',
  timeout: 30_000,
}, async () => {
  await sim.do('rule', { delayMs: 12_000 })
  expect(await mail.send(...message())).toEqual({ accepted: true })
  expect((await sim.state()).messages).toHaveLength(1)
})

test('a mail server that never answers DATA leaves an unknown outcome', async () => {
  await sim.do('rule', { delayMs: 2000 })
  const shortTimeout = createMail({ ...settings(), socketTimeoutMs: 150 })
  expect(await failureOf(shortTimeout.send(...message()))).toBe('unknown_outcome etimedout')
  await shortTimeout.close()
})

test('a mail server that never answers RCPT has certainly accepted nothing', async () => {
  await sim.do('rule', { stage: 'rcpt', delayMs: 2000 })
  const shortTimeout = createMail({ ...settings(), socketTimeoutMs: 150 })
  expect(await failureOf(shortTimeout.send(...message()))).toBe('unavailable etimedout')
  await shortTimeout.close()
})

test('a mail can be retried when the server refuses the connection or is down', async () => {
  await mail.idle()
  const fresh = createMail({ url: mailbox.smtpUrl, from: 'hello@ama-esim.example' })
  await sim.do('rule', { stage: 'connect', code: 421 })
  expect(await failureOf(fresh.send(...message()))).toBe('unavailable smtp_4.3.0')
  await fresh.verify()
  await fresh.close()
  const nobody = createMail({ url: 'smtp://127.0.0.1:1', from: 'hello@ama-esim.example' })
  expect(await failureOf(nobody.send(...message()))).toBe('unavailable esocket')
  expect(await failureOf(nobody.verify())).toBe('unavailable esocket')
  await nobody.close()
})

test('a mail to several addresses or to none is refused', async () => {
  for (const to of [
    'a@example.com, b@example.com',
    'a@example.com\r\nBcc: b@example.com',
    'nobody',
    '<a@example.com>',
  ]) {
    expect(await failureOf(mail.send(...message({ to })))).toBe('rejected invalid_address')
  }
  expect(await failureOf(mail.send(...message({ messageId: 'no brackets' })))).toBe('misconfigured invalid_message_id')
  expect((await sim.state()).messages).toHaveLength(0)
})

test('the mail simulator stores a repeated mail twice, as real servers do', async () => {
  await Promise.all([mail.send(...message()), mail.send(...message())])
  expect((await sim.state()).messages.map(({ messageId }) => messageId)).toEqual(Array(2).fill(message()[1].messageId))
})

test('the mail simulator ends a wait when the mail arrives', async () => {
  const waiting = sim.do('wait', { to: 'late@example.com', subject: 'Öst' })
  await mail.send(...message({ to: 'late@example.com' }))
  expect(await waiting).toHaveLength(1)
})

test('a bounce is returned to the envelope sender', async () => {
  const receiver = await startWebhookReceiver()
  await mail.send(...message())
  await sim.do('bounce', { messageId: message()[1].messageId, status: '5.1.1', url: receiver.url })
  const [bounce] = await receiver.atLeast(1)
  const text = bounce?.body.toString() ?? ''
  expect(bounce?.headers['content-type']).toBe('message/rfc822')
  expect(text).toContain('To: bounces+order.1.ready@bounce.ama-esim.example')
  expect(readBounce(text)).toEqual({
    messageId: 'order.1.ready',
    status: '5.1.1',
    permanent: true,
    addressIsDead: true,
  })
  await receiver.stop()
})

test('a bounce is read from its notification, not from the quoted mail', () => {
  const report = (to: string, status: string) =>
    `To: ${to}\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n` +
    `--b\n\nYour mail\nTo: bounces+quoted@x.example\n--b\nContent-Type: message/delivery-status\n\n` +
    `Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; planted.person@example.com\n${status}\n\n--b--\n`
  expect(readBounce(report('<bounces+a.b-1@x.example>', 'Status: 4.2.2'))).toEqual({
    messageId: 'a.b-1',
    status: '4.2.2',
    permanent: false,
    addressIsDead: false,
  })
  expect(readBounce(report('\r\n bounces+a@x.example', 'status:5.0.0'))).toMatchObject({
    permanent: true,
    addressIsDead: false,
  })
  for (const text of ['', report('planted.person@example.com', 'Status: 5.1.1'), report('bounces+a@x.example', '')]) {
    expect(() => readBounce(text)).toThrow(/^smtp: rejected \(unreadable_bounce\)$/)
  }
})

test('a holiday notice, which goes to the envelope sender, is no bounce: RFC 3834, 4', () => {
  const notice = (head: string, body: string) =>
    readBounce(`Return-Path: <>\r\nTo: bounces+a@x.example\r\n${head}\r\n\r\n${body}\r\n`)
  expect(notice('Auto-Submitted: auto-replied (vacation)', 'I am away.')).toBeUndefined()
  expect(notice('AUTO-SUBMITTED: auto-generated', 'I am away.\r\nStatus: 5.1.1')).toBeUndefined()
  // Mail systems mark their reports so as well.
  const report = 'Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\nStatus: 5.1.1'
  const head = 'Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; boundary=b'
  expect(notice(head, `--b\r\n${report}\r\n--b--`)).toMatchObject({ status: '5.1.1' })
  for (const other of ['Auto-Submitted: no', 'Subject: Auto-Submitted: auto-replied'])
    expect(() => notice(other, 'You have won.')).toThrow(/unreadable_bounce/)
})

test.each([
  ['Message/Delivery-Status', '7bit'],
  ['message/global-delivery-status; charset=utf-8', '8bit'],
  ['message/global-delivery-status', 'base64'],
])('a report of the type %s in %s is read: RFC 2045, 5.1, and RFC 6533, 3', (type, encoding) => {
  const fields =
    'Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: utf-8; jürgen@people.example\r\nAction: failed\r\nStatus: 5.1.1\r\n'
  const lines =
    Buffer.from(fields)
      .toString('base64')
      .match(/.{1,40}/g) ?? []
  const text =
    'To: bounces+a@x.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nYour mail\r\n' +
    `--b\r\nContent-Transfer-Encoding: ${encoding}\r\nContent-Type: ${type}\r\n\r\n` +
    `${encoding === 'base64' ? lines.join('\r\n') : fields}\r\n--b\r\nContent-Type: message/global\r\n\r\nStatus: 2.0.0\r\n--b--\r\n`
  expect(readBounce(text)).toEqual({ messageId: 'a', status: '5.1.1', permanent: true, addressIsDead: true })
})

test('the inbox of the mail simulator shows mails and runs no scripts of them', async () => {
  await mail.send(...message({ subject: '<script>alert(1)</script>', html: '<script>alert(2)</script><p>Hello</p>' }))
  const list = await (await fetch(`${mailbox.url}/`)).text()
  const page = await fetch(`${mailbox.url}/messages/1`)
  const html = await page.text()
  expect(list).toContain('&lt;script&gt;alert(1)')
  expect(list + html).not.toMatch(/<script/)
  expect(html).toContain('sandbox="allow-popups')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
})
