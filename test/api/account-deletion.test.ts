/** Permissions of a deletion, its receipt, and its record in the security log. */
import { randomUUID } from 'node:crypto'
import { WorkflowNotFoundError } from '@temporalio/client'
import { expect, test } from 'vitest'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { deleteAccount, followDeletion } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { google } = harness.sims
const { sql } = harness.context

test('a person can delete only their own account, and only after a recent sign-in', async () => {
  const [person, other] = [await harness.signUp(), await harness.signUp()]
  const path = `/v1/accounts/${person.accountId}`
  expect((await other.caller.delete(path)).status).toBe(404)
  expect((await harness.anonymous.delete(path)).status).toBe(401)
  // Whoever deletes for a person says why.
  expect((await harness.operator.delete(path)).body).toMatchObject({ errors: [{ field: 'reason' }] })
  const { idToken } = await google.do('firebase-sign-in', {
    uid: person.firebaseUid,
    authTimeSecondsAgo: 3600,
  })
  const stale = await createCaller(harness.urls.api, idToken).delete(path)
  expect(stale.body).toMatchObject({ code: 'fresh_sign_in_required' })
  expect((await harness.service.get(path)).status).toBe(200)
  const answer = await person.caller.delete(path)
  const receipt = expectStatus(answer, 200)
  expect(answer.headers.get('location')).toBe(`/v1/deletions/${receipt.receiptId}`)
  expect((await harness.service.get(`/v1/accounts/${other.accountId}`)).status).toBe(200)
})

test('deleting an account that never existed answers 404 and starts no run', async () => {
  const [unknown, reported] = [randomUUID(), randomUUID()]
  expect((await harness.service.delete(`/v1/accounts/${unknown}`)).status).toBe(404)
  expect((await harness.operator.post(`/v1/accounts/${reported}/child-report`)).status).toBe(404)
  expect((await harness.anonymous.get(`/v1/deletions/${randomUUID()}`)).status).toBe(404)
  expect((await harness.anonymous.get('/v1/deletions/1')).status).toBe(400)
  for (const accountId of [unknown, reported]) {
    const workflowId = accountDeletionWorkflowId(harness.context.cipher.accountRef(accountId))
    await expect(harness.temporal.workflow.getHandle(workflowId).describe()).rejects.toThrow(WorkflowNotFoundError)
  }
})

test('a deletion receipt is readable by its id alone and holds no personal data', async () => {
  const person = await harness.signUp()
  const deletion = await deleteAccount(harness.stack, person)
  const text = JSON.stringify(await deletion.receipt())
  for (const datum of [
    person.email,
    person.firstName,
    person.lastName,
    person.phone,
    person.accountId,
    person.firebaseUid,
  ])
    expect(text).not.toContain(datum)
})

test('K1: an operator deletes the account of a child: the security log has the reason, and no data of the child', async () => {
  const person = await harness.signUp()
  const path = `/v1/accounts/${person.accountId}/child-report`
  expect((await harness.service.post(path)).status).toBe(403)
  expect((await person.caller.post(path)).status).toBe(403)
  expect((await harness.operator.post(path, { name: 'a child' })).status).toBe(400)
  const receipt = expectStatus(await harness.operator.post(path), 200)
  expect(receipt).toMatchObject({ reason: 'child' })
  const deletion = followDeletion(harness.stack, person.accountId, receipt.receiptId)
  await deletion.until('mail', 'done')
  expect((await mailsTo(harness.stack, person.email))[0]?.text).toContain('child under 13')
  // The operator's action stays in the log for its 90 days, without the account.
  const actions = await sql`select account_id, actor from security_log
    where kind = 'operator_action' and detail = 'POST /v1/accounts/{id}/child-report' order by at desc limit 1`
  expect(actions[0]?.actor).toMatch(/^operator:/)
  expect(await sql`select 1 from security_log where account_id = ${person.accountId}`).toHaveLength(0)
})

test('a deletion request deletes nothing while no worker runs, and is answered once one does', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  await harness.worker.stop()
  const asked = person.caller.delete(`/v1/accounts/${person.accountId}`)
  const run = harness.temporal.workflow.getHandle(
    accountDeletionWorkflowId(harness.context.cipher.accountRef(person.accountId)),
  )
  await until('its run is open', async () => (await run.describe()).status.name === 'RUNNING')
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(200)
  await harness.worker.start()
  expect((await asked).status).toBe(200)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
})
