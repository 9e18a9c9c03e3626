import type { Duration } from '@temporalio/common'
import { NativeConnection, Worker } from '@temporalio/worker'
import { describe, expect, test } from 'vitest'
import { createPolicyActivities } from '../../activities/policy-notice.ts'
import { createPolicyClient } from '../../api/runs/policy-client.ts'
import type { PolicyDeliveries } from '../../db/connection/schema.ts'
import { day as inWords } from '../../mails/format.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusDays, startOfDay } from '../../shared/calendar.ts'
import { temporalSettings } from '../../temporal/client.ts'
import { createDataConverter } from '../../temporal/payload-codec.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { loadBundle } from '../../worker/bundle.ts'
import { policyNoticeState, policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { bounceToken, shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { day: dayMs } = milliseconds

interface Mail {
  id: number
  subject: string
  text: string
  messageId: string
  envelope: { to: string[] }
}

const draft = (version: string, over: Record<string, unknown> = {}) => ({
  version,
  title: 'Privacy policy',
  text: '## What we keep\n\nAs before, and\n\n- one thing less.',
  changes: ['We keep one thing less.'],
  effectiveAt: plusDays(startOfDay(new Date()), 33).toISOString(),
  material: true,
  ...over,
})

const post = async (version: string, over: Record<string, unknown> = {}) =>
  expectStatus(await harness.operator.post('/v1/policies', draft(version, over)), 201)
const policyOf = async (version: string) => expectStatus(await harness.anonymous.get(`/v1/policies/${version}`), 200)
const noticesOf = async (version: string) =>
  expectStatus(await harness.operator.get(`/v1/policies/${version}/notices`), 200)
const runOf = (version: string) => harness.temporal.workflow.getHandle(policyNoticeWorkflowId(version))
const forward = (version: string, duration: Duration) =>
  fastForward(harness.temporal, policyNoticeWorkflowId(version), duration)
const showsStatus = (version: string, status: string) =>
  until(`${version} is ${status}`, async () => (await runOf(version).query(policyNoticeState)).status === status)
const mailsAbout = async (version: string): Promise<Mail[]> => {
  const mails = await harness.sims.mailbox.do('find', {})
  return mails.filter(({ text, subject }) => /policy/.test(subject) && text.replaceAll('\n', ' ').includes(version))
}
const page = async (path = '/privacy') => (await harness.anonymous.get(path)).text
const misbehave = (rule: Record<string, unknown>) => harness.sims.mailbox.do('rule', rule)
const behave = () => harness.sims.mailbox.do('clear-rules', {})

await insertAccounts(harness.context, 30)
const accounts = async () =>
  (await sql<{ count: number }[]>`select count(*)::int as count from accounts`)[0]?.count ?? 0

describe('a material change', () => {
  test('N1: a material change is posted, mailed once to every person, and in force on its day', async () => {
    const before = expectStatus(await harness.anonymous.get('/v1/policies'), 200)
    expect(before.items).toMatchObject([{ version: '2026-11-28', state: 'in_force', forNewcomers: true }])
    const posted = await post('on-time')
    expect(posted).toMatchObject({ state: 'coming', movedFrom: null, forNewcomers: true })
    expect(await post('on-time')).toEqual(posted)
    await showsStatus('on-time', 'waiting')
    const mails = await mailsAbout('on-time')
    expect(mails).toHaveLength(await accounts())
    expect(new Set(mails.map(({ envelope }) => envelope.to[0])).size).toBe(await accounts())
    expect(mails[0]?.subject).toContain(inWords(new Date(posted.effectiveAt)))
    expect(await page()).toContain(`Coming on ${inWords(new Date(posted.effectiveAt))}`)
    expect(await page()).toContain('Version 2026-11-28, in force since 28 November 2026')
    expect(await page('/privacy/on-time')).toContain('<li>one thing less.</li>')

    await forward('on-time', new Date(posted.effectiveAt).getTime() - Date.now() - dayMs / 24)
    expect((await policyOf('on-time')).state).toBe('coming')
    const { outcome } = await forward('on-time', '2 hours')
    expect(outcome).toBe('ended')
    expect(await policyOf('on-time')).toMatchObject({ state: 'in_force', effectiveAt: posted.effectiveAt })
    expect((await policyOf('2026-11-28')).state).toBe('superseded')
    expect(await page()).toContain('Version on-time, in force since')
    expect(await page()).toMatch(/Earlier versions.*2026-11-28/s)
    expect(await mailsAbout('on-time')).toHaveLength(await accounts())
  })

  test('is accepted by people who sign up meanwhile, who get no notice', async () => {
    await post('newcomers')
    const newcomer = await harness.signUp()
    const seen = expectStatus(await harness.service.get(`/v1/accounts/${newcomer.accountId}`), 200)
    expect(seen.policyVersion).toBe('newcomers')
    const body = { email: 'x@people.example', firstName: 'F', lastName: 'L', policyVersion: 'on-time' }
    expect(await harness.service.post('/v1/accounts', body)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'policyVersion', reason: 'must be newcomers' }] },
    })
    await forward('newcomers', '34 days')
    expect((await policyOf('newcomers')).state).toBe('in_force')
    expect((await mailsAbout('newcomers')).map(({ envelope }) => envelope.to[0])).not.toContain(newcomer.email)
  })

  test('N2: a late page of notices postpones the date, and every person gets the new date', async () => {
    const late = await harness.signUp()
    await misbehave({ recipient: late.email, code: 451 })
    const posted = await post('late')
    await showsStatus('late', 'telling')
    await forward('late', '2.9 days')
    expect((await noticesOf('late')).notices).toMatchObject([{ notice: 'announced', waiting: 1, failed: 0 }])
    await behave()
    const { now } = await forward('late', '1.2 days')
    await showsStatus('late', 'waiting')
    const deliveries = await sql<Pick<PolicyDeliveries, 'sent_at'>[]>`
      select sent_at from policy_deliveries where version = 'late' and account_id = ${late.accountId}`
    const moved = await policyOf('late')
    expect(moved.movedFrom).toBe(posted.effectiveAt)
    const effective = new Date(moved.effectiveAt)
    expect(effective.getTime() - (deliveries[0]?.sent_at?.getTime() ?? 0)).toBeGreaterThanOrEqual(30 * dayMs)
    expect(effective.getTime() - now.getTime()).toBeLessThan(31 * dayMs)
    expect(await page()).toContain(`first announced for ${inWords(new Date(posted.effectiveAt))}`)

    const mails = await mailsAbout('late')
    const toLate = mails.filter(({ envelope }) => envelope.to[0] === late.email)
    expect(toLate.map(({ subject }) => subject)).toEqual([`Our privacy policy changes on ${inWords(effective)}`])
    const updates = mails.filter(({ subject }) => subject.includes('changes later'))
    expect(updates).toHaveLength((await accounts()) - 1)
    expect(updates[0]?.subject).toContain(inWords(effective))

    await forward('late', new Date(posted.effectiveAt).getTime() - now.getTime() + dayMs / 2)
    expect((await policyOf('late')).state).toBe('coming')
    await forward('late', '31 days')
    expect((await policyOf('late')).state).toBe('in_force')
  })

  test('does not wait for people whom mail cannot reach: an operator task counts them, and the page notifies them', {
    tags: 'long',
  }, async () => {
    const [refused, returned, silent] = [await harness.signUp(), await harness.signUp(), await harness.signUp()]
    await misbehave({ recipient: refused.email, code: 550 })
    await misbehave({ recipient: silent.email, code: 451 })
    await post('bounces')
    const mail = await until('the mail that comes back', async () =>
      (await mailsAbout('bounces')).find(({ envelope }) => envelope.to[0] === returned.email),
    )
    const url = `${harness.urls.api}/v1/webhooks/mail-bounces/${bounceToken}`
    await harness.sims.mailbox.do('bounce', { id: mail.id, url })
    await until('the bounce', async () => (await noticesOf('bounces')).unreached.items.length === 2)
    await forward('bounces', '6 days')
    await showsStatus('bounces', 'waiting')
    const { notices, unreached } = await noticesOf('bounces')
    expect(notices.find((each: { notice: string }) => each.notice === 'announced')).toMatchObject({
      sent: (await accounts()) - 3,
      waiting: 0,
      failed: 2,
      bounced: 1,
    })
    expect(unreached.items).toEqual(
      expect.arrayContaining([
        { accountId: refused.accountId, state: 'failed', code: 'smtp_5.1.1' },
        { accountId: returned.accountId, state: 'bounced', code: '5.1.1' },
        { accountId: silent.accountId, state: 'failed', code: 'smtp_4.3.0' },
      ]),
    )
    expect(await sql`select detail from attention where kind = 'policy_notice_undelivered'`).toHaveLength(1)
    await behave()
    await forward('bounces', '40 days')
    expect((await policyOf('bounces')).state).toBe('in_force')
  })

  test('waits for a mail server that is down', { tags: 'long' }, async () => {
    await misbehave({ recipient: '@people.example', code: 451 })
    const posted = await post('outage')
    await forward('outage', '4 days')
    expect((await noticesOf('outage')).notices[0]?.sent ?? 0).toBe(0)
    await behave()
    const { now } = await forward('outage', '2 days')
    await showsStatus('outage', 'waiting')
    const { effectiveAt } = await policyOf('outage')
    expect(effectiveAt > posted.effectiveAt).toBe(true)
    expect(new Date(effectiveAt).getTime() - now.getTime()).toBeGreaterThan(28 * dayMs)
    await forward('outage', '40 days')
    expect((await policyOf('outage')).state).toBe('in_force')
    const announced = (await mailsAbout('outage')).filter(({ subject }) => subject.includes('changes on'))
    expect(announced).toHaveLength(await accounts())
  })
})

describe('a withdrawn version', () => {
  test('never takes effect, and the people who were notified get a mail', async () => {
    const member = await harness.signUp()
    const { policyVersion: inForce } = expectStatus(await harness.service.get(`/v1/accounts/${member.accountId}`), 200)
    await post('withdrawn')
    await showsStatus('withdrawn', 'waiting')
    const newcomer = await harness.signUp()
    await forward('withdrawn', '10 days')
    const answer = expectStatus(await harness.operator.post('/v1/policies/withdrawn/withdraw'), 200)
    expect(answer).toMatchObject({ state: 'withdrawn', forNewcomers: false })
    expect(await runOf('withdrawn').result()).toMatchObject({ status: 'withdrawn' })
    const mails = (await mailsAbout('withdrawn')).filter(({ subject }) => subject.includes('stays as it is'))
    expect(mails).toHaveLength(await accounts())
    expect(mails.map(({ envelope }) => envelope.to[0])).toContain(newcomer.email)
    const seen = expectStatus(await harness.service.get(`/v1/accounts/${newcomer.accountId}`), 200)
    expect(seen.policyVersion).toBe(inForce)
    expect((await policyOf(inForce)).state).toBe('in_force')
    expect(await page()).toContain('never in force')
    expect(await page()).not.toContain('Coming on')
    expect((await harness.operator.post(`/v1/policies/${inForce}/withdraw`)).status).toBe(409)
  })

  test('that is withdrawn while its next step is looked up does not wait for its day', { tags: 'long' }, async () => {
    const { context, config, temporal } = harness
    const held = { ...config, TEMPORAL_TASK_QUEUE: `${config.TEMPORAL_TASK_QUEUE}-held` }
    const activities = createPolicyActivities(context)
    let release = (): void => {}
    const withdrawn = new Promise<void>((resolve) => {
      release = resolve
    })
    let found: string | undefined
    const connection = await NativeConnection.connect(temporalSettings(config, harness.settings).connection)
    const worker = await Worker.create({
      connection,
      namespace: temporal.options.namespace,
      taskQueue: held.TEMPORAL_TASK_QUEUE,
      workflowBundle: await loadBundle({ encrypted: config.PAYLOAD_KEYS !== undefined, log: context.log }),
      dataConverter: createDataConverter(config.PAYLOAD_KEYS),
      activities: {
        ...activities,
        async nextPolicyStep(input: { version: string; asOf: string }) {
          const next = await activities.nextPolicyStep(input)
          found ??= next.step
          if (next.step === 'wait') await withdrawn
          return next
        },
      },
    })
    await worker.runUntil(async () => {
      const client = createPolicyClient({ ...context, config: held, temporal })
      const effectiveAt = plusDays(startOfDay(new Date()), 33)
      const { changes, title, text } = draft('regretted')
      await client.post(
        { version: 'regretted', title, body: text, changes, material: false, effective_at: effectiveAt },
        'operator',
      )
      await until('its next step is looked up', () => found)
      await client.withdraw('regretted')
      release()
      expect(await runOf('regretted').result()).toMatchObject({ status: 'withdrawn' })
    })
    await connection.close()
    expect(found).toBe('wait')
  })

  test('stops its mailing at once', { tags: 'long' }, async () => {
    await insertAccounts(harness.context, 400)
    await misbehave({ recipient: '@people.example', delayMs: 40, times: 1_000_000 })
    await post('stopped')
    await until('the first mails', async () => ((await noticesOf('stopped')).notices[0]?.sent ?? 0) > 0)
    expectStatus(await harness.operator.post('/v1/policies/stopped/withdraw'), 200)
    await behave()
    await runOf('stopped').result()
    const { notices } = await noticesOf('stopped')
    const [announced, withdrawn] = notices
    // Only mails that were being sent arrive: one page would have reached all accounts.
    expect(announced.sent + announced.waiting).toBeLessThan((await accounts()) / 2)
    expect(withdrawn.sent).toBe(announced.sent)
  })
})

describe('a change that is not material', () => {
  test('is posted, and in force on its day without a mail', async () => {
    const soon = new Date(Date.now() + 3_600_000).toISOString()
    await post('wording', { material: false, changes: [], effectiveAt: soon })
    await forward('wording', '2 hours')
    expect((await policyOf('wording')).state).toBe('in_force')
    expect(await mailsAbout('wording')).toEqual([])
  })
})

describe('a version that operators may post', () => {
  const refused = async (over: Record<string, unknown>) => {
    const { status, body } = await harness.operator.post('/v1/policies', draft('refused', over))
    return { status, fields: (body.errors ?? []).map((each: { field: string }) => each.field) }
  }

  test('is new, far enough ahead, and lists its changes', async () => {
    const tooSoon = plusDays(new Date(), 30.9).toISOString()
    expect(await refused({ effectiveAt: tooSoon })).toEqual({ status: 400, fields: ['effectiveAt'] })
    expect(await refused({ changes: [] })).toEqual({ status: 400, fields: ['changes'] })
    expect(await refused({ version: '../x' })).toEqual({ status: 400, fields: ['version'] })
    expect(await refused({ idfa: 'x' })).toEqual({ status: 400, fields: ['idfa'] })
    expect((await harness.operator.post('/v1/policies', draft('wording'))).body.code).toBe('policy_version_taken')
    expect((await harness.anonymous.get('/v1/policies/refused')).status).toBe(404)
  })

  test('is one at a time, and posted by operators only', async () => {
    await post('first')
    const second = await harness.operator.post('/v1/policies', draft('second'))
    expect(second).toMatchObject({ status: 409, body: { code: 'policy_state_conflict' } })
    expect((await harness.anonymous.get('/v1/policies/second')).status).toBe(404)
    expectStatus(await harness.operator.post('/v1/policies/first/withdraw'), 200)
    await runOf('first').result()
    await post('second')
    expectStatus(await harness.operator.post('/v1/policies/second/withdraw'), 200)
    await runOf('second').result()
    for (const caller of [harness.service, harness.anonymous]) {
      expect([401, 403]).toContain((await caller.post('/v1/policies', draft('third'))).status)
      expect([401, 403]).toContain((await caller.post('/v1/policies/wording/withdraw')).status)
      expect([401, 403]).toContain((await caller.get('/v1/policies/wording/notices')).status)
    }
  })
})

test('a bounce report needs the secret address, and changes only the mail that it is about', async () => {
  const hand = (token: string, body: string) =>
    harness.anonymous.call('POST', `/v1/webhooks/mail-bounces/${token}`, {
      body,
      headers: { 'content-type': 'message/rfc822' },
    })
  expect((await hand('guess', 'x')).status).toBe(404)
  expect((await hand(bounceToken, 'hello')).body.code).toBe('webhook_refused')
})

test('N2: a version whose run was terminated can be withdrawn, and does not block another', async () => {
  await post('terminated')
  await showsStatus('terminated', 'waiting')
  await runOf('terminated').terminate('by mistake')
  const withdrawn = expectStatus(await harness.operator.post('/v1/policies/terminated/withdraw'), 200)
  expect(withdrawn).toMatchObject({ state: 'withdrawn', forNewcomers: false })
  await post('after-terminated', { material: false, effectiveAt: plusDays(new Date(), 400).toISOString() })
  expectStatus(await harness.operator.post('/v1/policies/after-terminated/withdraw'), 200)
})

test('a version for the last year that can be written is posted, and withdrawn', async () => {
  const far = await post('far-away', { effectiveAt: '9999-12-31T23:59:59.999Z' })
  expect(far.state).toBe('coming')
  await showsStatus('far-away', 'waiting')
  expect(await page('/privacy/far-away')).toContain('9999')
  expectStatus(await harness.operator.post('/v1/policies/far-away/withdraw'), 200)
  const { outcome } = await forward('far-away', '2 hours')
  expect(outcome).toBe('ended')
})
