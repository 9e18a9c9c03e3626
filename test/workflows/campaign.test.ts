import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeEach, expect, test } from 'vitest'
import { createCampaignActivities } from '../../activities/campaign.ts'
import { countDeliveries, insertCampaign, openCampaign, setCampaignState } from '../../db/campaigns.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { insertAccounts } from '../harness/bystanders.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context

beforeEach(async () => {
  await harness.sims.mailbox.do('clear-rules')
  // Withdraws the consents of the test before.
  await sql`update accounts set promotions = false`
})

const campaign = (subject = `Offer ${randomUUID()}`) => ({ subject, paragraphs: ['Ten percent off.', 'This week.'] })
const read = async (id: string) => expectStatus(await harness.operator.get(`/v1/campaigns/${id}`), 200)
const launch = async (body = campaign()) => expectStatus(await harness.operator.post('/v1/campaigns', body), 201)
const ended = (id: string) =>
  untilValue(
    'the campaign ends',
    () => read(id),
    ({ state }) => state === 'done',
  )
const act = (id: string, what: string) => harness.operator.post(`/v1/campaigns/${id}/${what}`)

async function recipientsOf(subject: string): Promise<string[]> {
  const mails = await harness.sims.mailbox.do('find', { subject })
  return mails.flatMap(({ envelope }) => envelope.to).sort()
}

test('U4: a campaign reaches only persons who opted in, each once, with one-click unsubscribe headers', async () => {
  const wanted = await insertAccounts(harness.context, 30, { promotions: true })
  await insertAccounts(harness.context, 10)
  const body = { ...campaign(), action: { label: 'Look', url: 'https://ama-esim.example/offer' } }
  const made = await launch(body)
  const done = await ended(made.id)
  expect(done.deliveries).toEqual({ sent: 30, refused: 0, unknown: 0, waiting: 0 })
  expect(await recipientsOf(body.subject)).toEqual(wanted.map(({ email }) => email).sort())

  const [mail] = await mailsTo(harness.stack, wanted[0]?.email ?? '')
  const url = /<(http[^>]+\/u\/[\w-]+)>/.exec(mail?.headers['list-unsubscribe'] ?? '')?.[1] ?? ''
  expect(url.startsWith(`${harness.config.PUBLIC_URL}/u/`)).toBe(true)
  expect(mail?.headers['list-unsubscribe-post']).toBe('List-Unsubscribe=One-Click')
  expect(mail?.headers['auto-submitted']).toBeUndefined()
  expect(mail?.html).toContain(`href="${url}"`)
  for (const identifying of Object.values(wanted[0] ?? {})) expect(url).not.toContain(identifying)
})

test('G4: opening the unsubscribe link changes nothing; one click withdraws the consent, without cookie or redirect', async () => {
  const person = await harness.signUp()
  const consents = `/v1/accounts/${person.accountId}/consents/promotions`
  expectStatus(await person.caller.put(consents, { granted: true, source: 'app_settings' }), 200)
  const first = campaign()
  await ended((await launch(first)).id)
  const [mail] = (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject === first.subject)
  const url = /<([^>]+)>/.exec(mail?.headers['list-unsubscribe'] ?? '')?.[1] ?? ''

  const looked = await fetch(url, { redirect: 'manual' })
  expect([looked.status, looked.headers.get('set-cookie')]).toEqual([200, null])
  expect(await looked.text()).toContain('<form method="post">')
  const consent = async () => (await person.caller.get(`/v1/accounts/${person.accountId}`)).body.consents.promotions
  expect((await consent()).granted).toBe(true)

  const form = new FormData()
  form.set('List-Unsubscribe', 'One-Click')
  for (const body of [new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), form, '']) {
    await harness.service.put(consents, { granted: true, source: 'support' })
    const clicked = await fetch(url, { method: 'POST', body, redirect: 'manual' })
    expect([clicked.status, clicked.headers.get('set-cookie'), clicked.redirected]).toEqual([200, null, false])
    expect(await consent()).toMatchObject({ granted: false, source: 'unsubscribe_link' })
  }
  expect(await (await fetch(url)).text()).toContain('You get no offers')
  const history = await sql`select granted, source from consents where account_id = ${person.accountId} order by at`
  expect(history.map(({ granted, source }) => `${granted} ${source}`)).toEqual([
    'true app_settings',
    'false unsubscribe_link',
    'true support',
    'false unsubscribe_link',
    'true support',
    'false unsubscribe_link',
  ])

  const second = campaign()
  await ended((await launch(second)).id)
  expect(await recipientsOf(second.subject)).toEqual([])
  const forged = await fetch(`${harness.urls.api}/u/${'A'.repeat(87)}`, {
    method: 'POST',
    body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }),
  })
  expect(forged.status).toBe(404)
})

test('U4: a person who withdraws the consent during a campaign gets no mail of it afterwards', async () => {
  const wanted = await insertAccounts(harness.context, 60, { promotions: true })
  // Accounts are mailed in the order of their ids.
  const late = [...wanted].sort((a, b) => a.id.localeCompare(b.id)).at(-1)
  await harness.sims.mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })
  const body = campaign()
  const { id } = await launch(body)
  await until('it has begun', async () => (await read(id)).deliveries.sent > 0)
  const no = { granted: false, source: 'support' }
  expectStatus(await harness.service.put(`/v1/accounts/${late?.id}/consents/promotions`, no), 200)
  await ended(id)
  const recipients = await recipientsOf(body.subject)
  expect(recipients).toHaveLength(59)
  expect(recipients).not.toContain(late?.email)
})

test('a paused campaign stops before the next mail; resumed, it reaches every recipient once', {
  tags: 'long',
}, async () => {
  const wanted = await insertAccounts(harness.context, 40, { promotions: true })
  await harness.sims.mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })
  const body = campaign()
  const { id } = await launch(body)
  await until('it has begun', async () => (await read(id)).deliveries.sent > 0)
  expect(expectStatus(await act(id, 'pause'), 200).state).toBe('paused')
  expect((await act(id, 'pause')).status).toBe(409)
  const { sent } = (
    await untilValue(
      'nothing is under way',
      () => read(id),
      ({ deliveries }) => deliveries.waiting === 0,
    )
  ).deliveries
  expect(sent).toBeLessThan(40)
  expect(expectStatus(await act(id, 'resume'), 200).state).toBe('sending')
  await ended(id)
  expect(await recipientsOf(body.subject)).toEqual(wanted.map(({ email }) => email).sort())
  expect((await act(id, 'cancel')).status).toBe(409)
})

test('a cancelled campaign ends', async () => {
  await insertAccounts(harness.context, 40, { promotions: true })
  await harness.sims.mailbox.do('rule', { recipient: '@people.example', delayMs: 60 })
  const body = campaign()
  const { id } = await launch(body)
  await until('it has begun', async () => (await read(id)).deliveries.sent > 0)
  expectStatus(await act(id, 'cancel'), 200)
  const over = await untilValue(
    'cancelled',
    () => read(id),
    ({ endedAt }) => endedAt !== null,
  )
  expect(over.state).toBe('cancelled')
  expect((await recipientsOf(body.subject)).length).toBeLessThan(40)
})

test('a campaign waits while the mail server is down, and does not repeat a mail with an unknown outcome', async () => {
  const [one, lost, refused] = await insertAccounts(harness.context, 3, { promotions: true })
  await harness.sims.mailbox.do('rule', { recipient: one?.email, code: 451, times: 2 })
  await harness.sims.mailbox.do('rule', { recipient: lost?.email, drop: 'after' })
  await harness.sims.mailbox.do('rule', { recipient: refused?.email, code: 550 })
  const body = campaign()
  const { id } = await launch(body)
  await until('a first try', async () => (await harness.sims.mailbox.state()).refusals)
  await fastForward(harness.temporal, campaignWorkflowId(id), '1 hour')
  const done = await ended(id)
  expect(done.deliveries).toEqual({ sent: 1, refused: 1, unknown: 1, waiting: 0 })
  expect(await recipientsOf(body.subject)).toEqual([one?.email, lost?.email].sort())
})

test('U4: a person whose address one worker cannot open gets their mail from another, and delays nobody else', async () => {
  const wanted = await insertAccounts(harness.context, 2, { promotions: true })
  const { subject, paragraphs } = campaign()
  const id = randomUUID()
  const row = {
    id,
    subject,
    paragraphs,
    action_label: null,
    action_url: null,
    created_at: new Date(),
    created_by: 'me',
  }
  await insertCampaign(sql, row)
  await openCampaign(sql, id)
  const info = { scheduledTimestampMs: Date.now(), currentAttemptScheduledTimestampMs: Date.now() }
  const send = (context: typeof harness.context) =>
    new MockActivityEnvironment(info).run(createCampaignActivities(context).sendCampaignPage, {
      campaignId: id,
      page: 0,
      pages: 1,
      asOf: new Date().toISOString(),
    })
  const { cipher } = harness.context
  const unwrap: typeof cipher.unwrap = (accountId, wrapped) => {
    if (accountId === wanted[0]?.id) throw new Error('a key is missing')
    return cipher.unwrap(accountId, wrapped)
  }
  await expect(send({ ...harness.context, cipher: { ...cipher, unwrap } })).rejects.toThrow('a key is missing')
  expect(await countDeliveries(sql, id)).toEqual({ sent: 1, refused: 0, unknown: 0, waiting: 1 })
  expect(await send(harness.context)).toMatchObject({ sent: 1, stopped: false })
  expect(await recipientsOf(subject)).toEqual(wanted.map(({ email }) => email).sort())
  await setCampaignState(sql, id, 'done', new Date())
})

test('only operators can start and change campaigns', async () => {
  const person = await harness.signUp()
  for (const caller of [person.caller, harness.service]) {
    expect((await caller.post('/v1/campaigns', campaign())).status).toBe(403)
    expect((await caller.get('/v1/campaigns')).status).toBe(403)
  }
  const plain = await harness.operator.post('/v1/campaigns', {
    ...campaign(),
    action: { label: 'x', url: 'http://x.example' },
  })
  expect([plain.status, plain.body.errors[0].field]).toEqual([400, 'action.url'])
})
