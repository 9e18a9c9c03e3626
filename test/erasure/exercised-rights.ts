/** Actions of people other than orders, which leave runs, rows, mails and log lines. */
import { randomUUID } from 'node:crypto'
import type { EmailChanges } from '../../db/connection/schema.ts'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { accountInactivityType, inactivityWorkflowId } from '../../workflows/retention/account-inactivity.contract.ts'
import type { Harness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { untilWaitsForTimer } from '../harness/temporal/wait-for-timer.ts'
import { until, untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

/** A privacy request by mail from a person without an account. @returns its id */
export async function askBeforeSignUp(harness: Harness, replyTo: string): Promise<string> {
  const request = { kind: 'other', message: 'What would you know of me?', replyTo }
  const { id } = expectStatus(await harness.operator.post('/v1/privacy-requests', request), 201)
  await untilAcknowledged(harness, id)
  return id
}

/** Waits until the acknowledgement is sent and recorded. */
export async function untilAcknowledged({ context }: Pick<Harness, 'context'>, requestId: string): Promise<void> {
  await until('the request is acknowledged', async () => {
    const [row] = await context.sql`select acknowledged_at from privacy_requests where id = ${requestId}`
    return row?.acknowledged_at
  })
}

/** A privacy request, an unfinished change of address, a web session, and an inactivity run. */
export async function exerciseRights(harness: Harness, person: Person): Promise<Record<string, string>> {
  const { sql } = harness.context
  const path = `/v1/accounts/${person.accountId}`
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: `I am ${person.lastName}` })
  const { id: request } = expectStatus(asked, 201)
  await untilAcknowledged(harness, request)
  const newEmail = `${randomUUID()}@refuses.example`
  await harness.sims.mailbox.do('rule', { recipient: newEmail, code: 550 })
  expectStatus(await person.caller.post(`${path}/email-change`, { email: newEmail }), 202)
  const [change] = await until('the change of address is stuck', async () => {
    const rows = await sql<Pick<EmailChanges, 'id'>[]>`
      select c.id from email_changes c join attention a on a.subject_id = c.id::text
      where c.account_id = ${person.accountId}`
    return rows.length > 0 && rows
  })
  const surfer = await visit(harness.stack, person)
  if (!(await surfer.open('/account/data')).html.includes(person.lastName))
    throw new Error('who signed in sees nothing')
  // The session stays open, and another link unused.
  await surfer.post('/account/sign-in', { email: person.email, next: 'account' })
  await harness.temporal.workflow.start(accountInactivityType, {
    workflowId: inactivityWorkflowId(person.accountId),
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
    args: [{ accountId: person.accountId }],
    searchAttributes: { AccountRef: [harness.context.cipher.accountRef(person.accountId)] },
  })
  await untilWaitsForTimer(harness.temporal, inactivityWorkflowId(person.accountId))
  await sql`update inactivity set first_warned_at = now() where account_id = ${person.accountId}`
  return { newEmail, request, change: change?.id ?? '' }
}

/** A promotion and a policy notice to all accounts. */
export async function mailEverybody(harness: Harness): Promise<void> {
  const offer = { subject: 'Ten percent off', paragraphs: ['This week.'] }
  const { id } = expectStatus(await harness.operator.post('/v1/campaigns', offer), 201)
  const campaign = async () => expectStatus(await harness.operator.get(`/v1/campaigns/${id}`), 200)
  await untilValue('the campaign ends', campaign, ({ state }) => state === 'done')
  const version = 'proof'
  const policy = {
    version,
    title: 'Privacy policy',
    text: '## What we keep\n\nAs before.',
    changes: ['Nothing of note.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  }
  expectStatus(await harness.operator.post('/v1/policies', policy), 201)
  await until('everybody is told', async () => {
    const [row] = await harness.context.sql`
      select (select count(*) from accounts) = (select count(*) from policy_deliveries
        where version = ${version} and state = 'sent') as all_sent`
    return row?.all_sent
  })
}
