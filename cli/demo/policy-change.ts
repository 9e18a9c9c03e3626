/**
 * N1 and N2, a material change of the policy is posted, and mailed at least 30 days before: it takes effect that long
 * after the last mail.
 */

import { milliseconds } from '../../policy/periods.ts'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import type { Answer, DemoClient } from './demo-client.ts'
import type { Customer } from './order-life.ts'

const { day } = milliseconds

export async function playPolicyChange(client: DemoClient, nora: Customer): Promise<void> {
  const { app, operator, narrator, stack, until } = client
  narrator.chapter('The privacy policy changes', 'N1', 'N2')
  const version = 'demo-change'
  const posted = await operator('POST', '/v1/policies', {
    version,
    title: 'Privacy policy',
    text: '## What we keep\n\nAs before, and one thing less.',
    changes: ['We keep one thing less.'],
    effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
    material: true,
  })
  narrator.step(
    'A new version is published, for a day more than 30 days away',
    posted.state === 'coming',
    posted.effectiveAt.slice(0, 10),
  )
  narrator.link('public page', `${stack.urls.api}/privacy`)
  const mail = await client.mailTo(nora.email, /policy/i)
  narrator.step('Every account gets a mail', mail !== undefined, mail?.subject)
  const read = (): Promise<Answer> => app('GET', `/v1/policies/${version}`)
  const wait = Date.parse(posted.effectiveAt) - Date.now()
  await fastForward(stack.temporal, policyNoticeWorkflowId(version), wait - day)
  narrator.step('A day before, the old version is still in force', (await read()).state === 'coming')
  await fastForward(stack.temporal, policyNoticeWorkflowId(version), 2 * day)
  const inForce = await until(read, ({ state }) => state === 'in_force')
  narrator.step(
    'On its day, with every notice older than 30 days, it takes effect',
    inForce.state === 'in_force',
    inForce.effectiveAt.slice(0, 10),
  )
}
