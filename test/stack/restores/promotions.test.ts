/**
 * U4, G4 and C6: promotions go only to those who asked for them, consent to promotions can be withdrawn, and sign-in
 * identifiers are encrypted. Only the lost database knew which permissions people had withdrawn since a dump. After a
 * restore nobody is mailed, signed in or pushed to by a permission from before it.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createFailureIsolation } from '../../../cli/restore/failure-isolation.ts'
import { rebuildSignIns } from '../../../cli/restore/sign-ins.ts'
import { confirmPromotions, suspendPermissions } from '../../../db/backup/restored-permissions.ts'
import { setPromotions } from '../../../db/consents.ts'
import { linkIdentity, listIdentities } from '../../../db/identities.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { signInEndedType, signInEndedWorkflowId } from '../../../workflows/sign-in-ended.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { openRestore } from '../../harness/lost.ts'
import type { Person } from '../../harness/people.ts'
import { untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { context, temporal, config } = harness
const { sql } = context
const { google } = harness.sims
const hourMs = 3_600_000

const consentsOf = (accountId: string) => `/v1/accounts/${accountId}/consents/promotions`
const optedIn = async (account: Record<string, unknown> = {}): Promise<Person> => {
  const person = await harness.signUp({ account })
  expectStatus(await person.caller.put(consentsOf(person.accountId), { granted: true, source: 'app_settings' }), 200)
  return person
}
const consentOf = async ({ accountId }: Person) =>
  expectStatus(await harness.service.get(`/v1/accounts/${accountId}`), 200).consents.promotions
const suspend = async (): Promise<string> => {
  const restoreId = randomUUID()
  await sql.begin((tx) => suspendPermissions(tx, { restoreId, at: new Date() }))
  return restoreId
}
const taskOf = async (restoreId: string, kind: string) => {
  const { items } = expectStatus(await harness.operator.get('/v1/operator-tasks?limit=100'), 200)
  return items.find((task: { subjectId: string; kind: string }) => task.subjectId === restoreId && task.kind === kind)
}
const launch = async (): Promise<{ id: string; subject: string }> => {
  const subject = `Offer ${randomUUID()}`
  const { id } = expectStatus(await harness.operator.post('/v1/campaigns', { subject, paragraphs: ['Now.'] }), 201)
  return { id, subject }
}
const untilState = (id: string, wanted: string) =>
  untilValue(
    `the campaign is ${wanted}`,
    async () => expectStatus(await harness.operator.get(`/v1/campaigns/${id}`), 200),
    ({ state }) => state === wanted,
  )
const mailed = async (subject: string): Promise<string[]> =>
  (await harness.sims.mailbox.do('find', { subject })).flatMap(({ envelope }) => envelope.to).sort()

test('U4: after a restore campaigns wait for an operator, and consents of before it count only once one has confirmed', async () => {
  const { sub, idToken } = await google.do('sign-in')
  const disabled = await optedIn({ google: { identityToken: idToken } })
  const [kept, unsubscribed, agreedAgain] = [await optedIn(), await optedIn(), await optedIn()]
  await sql`update identities set linked_at = linked_at - interval '1 day' where account_id = ${disabled.accountId}`
  const restoreId = await suspend()
  expect(await taskOf(restoreId, 'promotions_suspended')).toMatchObject({ attributes: { consents: 4 } })
  for (const person of [kept, unsubscribed, disabled, agreedAgain])
    expect(await consentOf(person)).toMatchObject({ granted: false, source: 'restore' })

  const waiting = await launch()
  await untilState(waiting.id, 'paused')
  expectStatus(await harness.operator.post(`/v1/campaigns/${waiting.id}/resume`), 200)
  await untilState(waiting.id, 'paused')
  expect(await mailed(waiting.subject)).toEqual([])

  // A person's own choice stays, whatever an operator does then.
  const at = new Date()
  await setPromotions(sql, { accountId: unsubscribed.accountId, granted: false, source: 'unsubscribe_link', at })
  await google.do('notify', { type: 'account-disabled', sub, reason: 'hijacking', at: at.getTime() - hourMs })
  await setPromotions(sql, { accountId: agreedAgain.accountId, granted: true, source: 'web', at })
  expect(await consentOf(unsubscribed)).toMatchObject({ granted: false, source: 'unsubscribe_link' })
  // The notice is older than the row that the restore has written, and counts all the same: that row is no decision of
  // the person.
  await untilValue(
    'the notice counts',
    () => consentOf(disabled),
    ({ source }) => source === 'sign_in_provider',
  )
  expect(await sql.begin((tx) => confirmPromotions(tx, new Date()))).toBe(1)
  expect(await sql.begin((tx) => confirmPromotions(tx, new Date()))).toBe(0)
  expect(await consentOf(kept)).toMatchObject({ granted: true, source: 'restore' })
  expect(await taskOf(restoreId, 'promotions_suspended')).toBeUndefined()

  expectStatus(await harness.operator.post(`/v1/campaigns/${waiting.id}/resume`), 200)
  await untilState(waiting.id, 'done')
  expect(await mailed(waiting.subject)).toEqual([kept.email, agreedAgain.email].sort())
})

test('U4: an operator who closes the task leaves the consents withdrawn', async () => {
  const [person, newcomer] = [await optedIn(), await harness.signUp()]
  const restoreId = await suspend()
  const task = await taskOf(restoreId, 'promotions_suspended')
  await setPromotions(sql, { accountId: newcomer.accountId, granted: true, source: 'web', at: new Date() })
  expectStatus(await harness.operator.post(`/v1/operator-tasks/${task.id}/close`, {}), 200)
  const { id, subject } = await launch()
  await untilState(id, 'done')
  expect(await mailed(subject)).toEqual([newcomer.email])
  expect(await consentOf(person)).toMatchObject({ granted: false })

  // They stay withdrawn also when an operator confirms the consents that a later restore has withdrawn.
  await suspend()
  await sql.begin((tx) => confirmPromotions(tx, new Date()))
  expect(await consentOf(newcomer)).toMatchObject({ granted: true, source: 'restore' })
  expect(await consentOf(person)).toMatchObject({ granted: false })
  await setPromotions(sql, { accountId: newcomer.accountId, granted: false, source: 'web', at: new Date() })
})

test('C6: after a restore sign-ins and phones of before it do not count, and who has access is compared', async () => {
  const person = await harness.signUp()
  expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}`), 200)
  await sql`insert into link_tokens (token_hash, account_id, purpose, created_at, expires_at)
    values (${Buffer.from(randomUUID())}, ${person.accountId}, 'sign_in', now(), ${plusMs(new Date(), 60_000)})`
  const withPush = () => sql`select from devices where push_token is not null or push_token_index is not null`
  expect(await withPush()).not.toHaveLength(0)
  const restoreId = await suspend()
  // The token says to the second when its person signed in.
  await sql`update accounts set signed_out_at = signed_out_at + interval '1 second' where id = ${person.accountId}`
  expect(await person.caller.get(`/v1/accounts/${person.accountId}`)).toMatchObject({ status: 401 })
  expect(await sql`select from link_tokens where purpose = 'sign_in'`).toHaveLength(0)
  expect(await withPush()).toHaveLength(0)
  expect(await taskOf(restoreId, 'restored_access')).toMatchObject({
    urgency: 'now',
    attributes: { keys: expect.any(Number), operators: expect.any(Number), receivers: 0 },
  })
})

test('C6: a link to an Apple Account that its owner has ended since the dump does not come back', async () => {
  const { accountId } = await harness.signUp()
  const link = async () =>
    linkIdentity(sql, context, await context.dataKeys.get(sql, accountId), {
      provider: 'apple',
      subject: `001.${accountId}`,
      clientId: 'app',
      refreshToken: 'r',
      at: new Date('2026-01-01'),
    })
  await link()
  const input = { accountId, noticeId: randomUUID(), endedAt: new Date().toISOString() }
  const workflowId = signInEndedWorkflowId(randomUUID())
  const start = { workflowId, taskQueue: config.TEMPORAL_TASK_QUEUE, args: [input] }
  await temporal.workflow.execute(signInEndedType, start)
  // The state in the dump: the sign-in is linked.
  await link()
  const isolate = createFailureIsolation(sql, await openRestore(sql))
  const since = plusMs(new Date(), -60_000)
  await untilValue(
    'the restore finds the run',
    async () => {
      await rebuildSignIns(context, temporal, { since, isolate })
      return listIdentities(sql, context, accountId)
    },
    ({ length }) => length === 0,
  )
})
