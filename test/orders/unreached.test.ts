/**
 * U3: messages about orders are sent once. A customer whom no mail reaches is notified by the app, by its pages and,
 * when no phone takes a push, by an operator.
 */
import { expect, test } from 'vitest'
import type { Accounts, Attention } from '../../db/connection/schema.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { bounceToken, shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until, untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { sql } = harness.stack.context
const { mailbox, firebase } = harness.sims

const tasksAbout = (subject: string) =>
  sql<Pick<Attention, 'kind' | 'detail'>[]>`select kind, detail from attention where subject_id = ${subject}`

const untilDead = ({ accountId }: Person) =>
  until('the address is marked', async () => {
    const [account] = await sql<Pick<Accounts, 'mail_state'>[]>`select mail_state from accounts where id = ${accountId}`
    return account?.mail_state === 'bounced'
  })

/** The person's mail comes back after its mail server had accepted it. */
async function bounce(person: Person): Promise<void> {
  const mail = await untilValue(
    'the mail',
    async () => (await mailsTo(harness.stack, person.email)).at(-1),
    (sent) => sent !== undefined,
  )
  const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
  await mailbox.do('bounce', { messageId: mail?.messageId, status: '5.1.1', url })
}

/** The person's mail server refuses each mail. */
const refuse = ({ email }: Person) => mailbox.do('rule', { recipient: email, code: 550 })

const emailEvents = async ({ accountId }: Person) => {
  const { items } = expectStatus(await harness.service.get('/v1/events?type=account.email_bounced&limit=200'), 200)
  return items.filter(({ data }: { data: { accountId: string } }) => data.accountId === accountId)
}

test.each([
  ['comes back', '5.1.1'],
  ['is refused', 'smtp_5.1.1'],
])('a delivery mail that %s, of a person without the app, is an operator task', async (how, detail) => {
  const person = await harness.signUp({ device: false })
  if (how === 'is refused') await refuse(person)
  const order = await harness.buy(person)
  if (how === 'comes back') await bounce(person)
  await untilDead(person)
  await until('the task', async () => (await tasksAbout(order.id)).length > 0)
  expect(await tasksAbout(order.id)).toEqual([{ kind: 'mail_bounced', detail }])
  expect(await emailEvents(person)).toHaveLength(1)
})

test('a delivery mail that comes back is no operator task while a push notifies the person, and becomes one once no phone takes it', async () => {
  const [reached, lost] = [await harness.signUp(), await harness.signUp()]
  const order = await harness.buy(reached)
  await bounce(reached)
  await untilDead(reached)
  expect(await tasksAbout(order.id)).toEqual([])

  const lostOrder = await harness.buy(lost)
  await firebase.do('token', { token: lost.pushToken, behaviour: 'unregistered' })
  await bounce(lost)
  await until('the task', async () => (await tasksAbout(lostOrder.id)).length > 0)
  expect(await tasksAbout(lostOrder.id)).toEqual([{ kind: 'mail_bounced', detail: '5.1.1' }])
})

test('the page of a person’s eSIMs says that mail does not reach them, until they correct the address', async () => {
  const person = await harness.signUp()
  const surfer = await visit(harness.stack, person)
  const notice = `${person.email} come back to us`
  expect((await surfer.open('/account')).html).not.toContain(notice)
  await refuse(person)
  await harness.buy(person)
  await untilDead(person)
  expect((await surfer.open('/account')).html).toContain(notice)
  await sql`update accounts set mail_state = 'ok' where id = ${person.accountId}`
  expect((await surfer.open('/account')).html).not.toContain(notice)
  expect(await emailEvents(person)).toHaveLength(1)
})
