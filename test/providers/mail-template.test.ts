import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createMail, type MailSender } from '../../providers/mail/mail.ts'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { type RunningMailbox, startMailbox } from '../../sim/mailbox.ts'
import { failureOf } from './failing.ts'

let mailbox: RunningMailbox
let mail: MailSender
let sim: ControlOf<typeof startMailbox>

const content = {
  subject: 'Unsere Datenschutzerklärung ändert sich: eine Überschrift, die über mehrere Zeilen des Kopfes geht',
  html: '<p>Grüße — ab dem 5. Dezember</p>',
  text: 'Grüße — ab dem 5. Dezember\n.\nto: nobody\n',
}

beforeAll(async () => {
  mailbox = await startMailbox()
  sim = controlOf(mailbox)
  mail = createMail({ url: mailbox.smtpUrl, from: 'AMA eSIM <hello@ama-esim.example>' })
})

beforeEach(() => sim.reset())

afterAll(async () => {
  await mail.close()
  await mailbox.stop()
})

test('a mail of a template equals a single mail for each recipient', async () => {
  const sendOne = await mail.sendToMany(content)
  const people = ['one@example.com', 'two@example.com', 'drei@bücher.example']
  await Promise.all(people.map((to, index) => sendOne({ to, messageId: `<many.${index}@example.com>` })))
  await mail.send(content, { kind: 'transactional', to: 'alone@example.com', messageId: '<alone@example.com>' })
  const [alone] = await sim.do('find', { to: 'alone@example.com' })
  const received = await sim.do('find', {})
  expect(received).toHaveLength(4)
  for (const { subject, text, html, headers } of received) {
    expect({ subject, text, html }).toEqual({ subject: alone?.subject, text: alone?.text, html: alone?.html })
    expect(headers.from).toBe(alone?.headers.from)
    expect(headers['auto-submitted']).toBe('auto-generated')
    expect(Math.abs(Date.parse(headers.date ?? '') - Date.now())).toBeLessThan(60_000)
    for (const name of ['to', 'message-id', 'date', 'subject']) expect(headers[name]).not.toContain('\n')
  }
  const two = received.find(({ envelope }) => envelope.to[0] === 'two@example.com')
  expect(two).toMatchObject({
    messageId: '<many.1@example.com>',
    envelope: { from: 'bounces+many.1@ama-esim.example' },
    headers: { to: 'two@example.com', 'message-id': '<many.1@example.com>' },
  })
})

test('a mail of a template fails like a single mail', async () => {
  const sendOne = await mail.sendToMany(content)
  const send = (to: string) => sendOne({ to, messageId: '<many@example.com>' })
  await sim.do('rule', { recipient: 'gone@example.com', code: 550 })
  await sim.do('rule', { recipient: 'later@example.com', code: 451 })
  await sim.do('rule', { recipient: 'cut@example.com', drop: 'after' })
  expect(await failureOf(send('gone@example.com'))).toBe('rejected smtp_5.1.1')
  expect(await failureOf(send('later@example.com'))).toBe('unavailable smtp_4.3.0')
  expect(await failureOf(send('cut@example.com'))).toMatch(/^unknown_outcome /)
  expect(await failureOf(send('x@example.com\r\nBcc: y@example.com'))).toBe('rejected invalid_address')
})
