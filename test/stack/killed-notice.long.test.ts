/**
 * N2: a material change is mailed at least 30 days before. Everybody gets the policy notice when the worker is killed
 * twice during it, as the mail simulator shows.
 */
import { expect, test } from 'vitest'
import type { PolicyDeliveries } from '../../db/connection/schema.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { openHarness } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const harness = await openHarness({
  processes: 'apart',
  keepMail: 'envelopes',
  settings: { MAIL_RATE_PER_SECOND: '300' },
})
const recipients = 1_500
/** most mails that one worker sends at the same time: four groups of twenty */
const underWay = 80

const count = async () => (await harness.sims.mailbox.do('count', {})).count

test('N2: each account gets the policy notice once, except mails that were being sent at a kill', {
  timeout: 180_000,
}, async () => {
  await insertAccounts(harness.context, recipients)
  const effectiveAt = new Date(Date.now() + 40 * 86_400_000).toISOString()
  const policy = { version: 'killed', title: 'Privacy policy', text: 'As before.', changes: ['Less.'], material: true }
  expectStatus(await harness.operator.post('/v1/policies', { ...policy, effectiveAt }), 201)
  for (const share of [0.25, 0.6]) {
    await until('some mails', async () => (await count()) > share * recipients, { timeoutMs: 60_000, everyMs: 10 })
    await harness.worker.kill()
    await harness.worker.start()
  }
  const sent = () => harness.context.sql`select from policy_deliveries where version = 'killed' and state = 'sent'`
  await until('all but the doubtful', async () => (await sent()).length >= recipients - 2 * underWay, {
    timeoutMs: 90_000,
  })
  // Their lease expires, and they are sent again.
  await fastForward(harness.temporal, policyNoticeWorkflowId('killed'), '1 hour')
  await until('everybody', async () => (await sent()).length === recipients)

  const { messages } = await harness.sims.mailbox.state()
  const mailsTo = new Map<string, string[]>()
  for (const { messageId, envelope } of messages) {
    const to = envelope.to[0] ?? ''
    mailsTo.set(to, [...(mailsTo.get(to) ?? []), messageId])
  }
  expect(mailsTo.size).toBe(recipients)
  for (const ids of mailsTo.values()) expect(new Set(ids).size).toBe(1)
  const repeated = [...mailsTo.values()].filter((ids) => ids.length > 1)
  const doubtful = await harness.context.sql<Pick<PolicyDeliveries, 'message_ref'>[]>`
    select message_ref from policy_deliveries where version = 'killed' and attempts > 1`
  expect(doubtful.length).toBeLessThanOrEqual(2 * underWay)
  const refs = new Set(doubtful.map(({ message_ref }) => message_ref))
  for (const [id = ''] of repeated) expect(refs).toContain(id.slice(1, id.indexOf('@')))
})
