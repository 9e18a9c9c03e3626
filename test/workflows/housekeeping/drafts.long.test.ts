/**
 * A row and its run are made together, also with many concurrent requests and when the API or Temporal crashes in
 * between.
 */
import { randomUUID, type UUID } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import type { EmailChanges } from '../../../db/connection/schema.ts'
import { aftercareStart } from '../../../temporal/order-signals.ts'
import { stageOf } from '../../../temporal/run-stage.ts'
import { accountDeletionType, deletionStart } from '../../../workflows/account-deletion.contract.ts'
import { campaignType, campaignWorkflowId } from '../../../workflows/campaign.contract.ts'
import { emailChangeType, emailChangeWorkflowId } from '../../../workflows/email-change.contract.ts'
import { type DraftSweepReport, draftSweepType } from '../../../workflows/housekeeping/draft-sweep.contract.ts'
import { keyRotationType, keyRotationWorkflowId } from '../../../workflows/keys/key-rotation.contract.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { privacyRequestType, privacyRequestWorkflowId } from '../../../workflows/privacy-request.contract.ts'
import { mailsTo } from '../../harness/checks/messages.ts'
import { openHarness } from '../../harness/harness.ts'
import { type Answer, expectStatus, withId } from '../../harness/http.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'

const harness = await openHarness({ durable: true })
const { sql } = harness.context

const twenty = <Result>(ask: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => ask(index)))
const statuses = (answers: Answer[]): number[] => answers.map(({ status }) => status).sort()
const unknownAddress = () => `${randomUUID()}@elsewhere.example`

const request = (replyTo = unknownAddress()) => ({ kind: 'access', message: 'What do you know of me?', replyTo })
const campaign = () => ({ subject: `An offer ${randomUUID()}`, paragraphs: ['Ten percent off.'] })

/** The requests of operators that take an idempotency key, with the table of their rows. */
const underAKey = [
  {
    path: '/v1/privacy-requests',
    table: 'privacy_requests',
    body: () => request(),
    workflowId: privacyRequestWorkflowId,
  },
  { path: '/v1/campaigns', table: 'campaigns', body: () => campaign(), workflowId: campaignWorkflowId },
  {
    path: '/v1/key-rotations',
    table: 'key_rotations',
    body: () => ({ purpose: 'field' }),
    workflowId: keyRotationWorkflowId,
  },
]

const ids = async (table: string): Promise<string[]> =>
  (await sql<{ id: string }[]>`select id from ${sql(table)} order by id`).map(({ id }) => id)

/** Ends the rotation, because one of a purpose runs at a time and the next test needs another. */
afterEach(async () => {
  const open = await sql<{ id: string }[]>`select id from key_rotations where ended_at is null`
  // By their ids: Temporal lists a run some time after it has begun. It may have ended by itself, or never begun.
  for (const { id } of open)
    await harness.temporal.workflow
      .getHandle(keyRotationWorkflowId(id))
      .terminate('test')
      .catch(() => undefined)
  await sql`update key_rotations set ended_at = now() where ended_at is null`
  await until('Temporal lists no rotation as open', async () => {
    const query = `ExecutionStatus = 'Running' AND WorkflowType = '${keyRotationType}'`
    return (await harness.temporal.workflow.count(query)).count === 0
  })
})

/** Ids of open rows, and of open runs. */
async function openPairs() {
  const rows = await sql<{ id: string }[]>`
    select ${privacyRequestWorkflowId('')} || id as id from privacy_requests where state <> 'draft'
    union select ${campaignWorkflowId('')} || id from campaigns where state <> 'draft' and ended_at is null
    union select ${emailChangeWorkflowId('')} || id from email_changes where state = 'open'
    union select ${keyRotationWorkflowId('')} || id from key_rotations where status <> 'draft' and ended_at is null`
  const types = [privacyRequestType, campaignType, emailChangeType, keyRotationType].map((type) => `'${type}'`)
  const query = `ExecutionStatus = 'Running' AND WorkflowType IN (${types.join(', ')})`
  const runs: string[] = []
  for await (const { workflowId } of harness.temporal.workflow.list({ query })) runs.push(workflowId)
  return { rows: rows.map(({ id }) => id).sort(), runs: runs.sort() }
}

const everyRowHasItsRun = () =>
  untilValue('rows and runs agree', openPairs, ({ rows, runs }) => String(rows) === String(runs))

describe.each(underAKey)('POST $path', ({ path, table, body, workflowId }) => {
  test('twenty concurrent requests under one idempotency key make one row and one run', async () => {
    const before = await ids(table)
    const [wanted, headers] = [body(), { 'idempotency-key': randomUUID() }]
    const answers = await twenty(() => harness.operator.post(path, wanted, headers))
    expect(new Set(statuses(answers))).toEqual(new Set([201]))
    const made = new Set(answers.map((answer) => answer.body.id))
    expect(made.size).toBe(1)
    expect((await ids(table)).filter((id) => !before.includes(id))).toEqual([...made])
    await harness.temporal.workflow.getHandle(workflowId(String([...made][0]))).describe()
    await everyRowHasItsRun()
  })

  test('twenty concurrent requests under different keys each make a row and a run, or are refused', async () => {
    const before = await ids(table)
    const answers = await twenty(() => harness.operator.post(path, body()))
    const made = answers.filter(({ status }) => status === 201).map((answer) => answer.body.id)
    const refused = answers.filter(({ status }) => status !== 201).map((answer) => answer.body.code)
    expect(made).toHaveLength(table === 'key_rotations' ? 1 : 20)
    expect(new Set(refused)).toEqual(new Set(table === 'key_rotations' ? ['key_rotation_running'] : []))
    expect((await ids(table)).filter((id) => !before.includes(id))).toEqual(made.sort())
    await everyRowHasItsRun()
  })

  test('the id is random, not derived from the idempotency key', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const made = expectStatus(await harness.operator.post(path, body(), headers), 201)
    expect(made.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  })
})

test('of twenty concurrent address changes of an account one is open, at most five a day are made, and none answers 500', async () => {
  const person = await harness.signUp()
  const path = `/v1/accounts/${person.accountId}/email-change`
  const answers = await twenty(() => person.caller.post(path, { email: unknownAddress() }))
  expect(answers.filter(({ status }) => status >= 500)).toEqual([])
  expect(answers.filter(({ status }) => status === 202).length).toBeGreaterThan(0)
  expect(statuses(answers).filter((status) => ![202, 409, 429].includes(status))).toEqual([])
  const rows = await sql<Pick<EmailChanges, 'state'>[]>`
    select state from email_changes where account_id = ${person.accountId} and state <> 'draft'`
  expect(rows.length).toBeLessThanOrEqual(5)
  expect(rows.filter(({ state }) => state === 'open')).toHaveLength(1)
  await everyRowHasItsRun()
})

test('privacy requests during the deletion of their account are answered, and leave no row', async () => {
  const person = await harness.signUp({ device: false })
  const body = { accountId: person.accountId, kind: 'access', message: 'What do you know of me?' }
  const [deleted, ...answers] = await Promise.all([
    harness.service.delete(`/v1/accounts/${person.accountId}`),
    ...Array.from({ length: 20 }, () => harness.service.post('/v1/privacy-requests', body)),
  ])
  expectStatus(deleted, 200)
  expect(statuses(answers).filter((status) => ![201, 404, 409].includes(status))).toEqual([])
  expect(await sql`select id from privacy_requests where account_id = ${person.accountId}`).toHaveLength(0)
  await everyRowHasItsRun()
})

describe('an answer to a privacy request', () => {
  const ask = async () => {
    const replyTo = unknownAddress()
    const { id } = expectStatus(await harness.operator.post('/v1/privacy-requests', request(replyTo)), 201, withId)
    return { id, replyTo }
  }
  const answer = (id: string, text: string | null, key = randomUUID()) =>
    harness.operator.post(
      `/v1/privacy-requests/${id}/resolve`,
      { answerKind: 'granted', answer: text },
      { 'idempotency-key': key },
    )
  const read = async (id: string) => expectStatus(await harness.operator.get(`/v1/privacy-requests/${id}`), 200)
  const answered = (id: string) =>
    untilValue(
      'answered',
      () => read(id),
      ({ state }) => state === 'answered',
    )
  const answersTo = async (address: string) =>
    (await mailsTo(harness.stack, address)).filter(({ subject }) => subject === 'Our answer to your privacy request')

  test('of twenty operators at the same time is taken once, the others are refused, and one mail is sent', async () => {
    const { id, replyTo } = await ask()
    const answers = await twenty((index) => answer(id, `Answer ${index}.`))
    expect(statuses(answers)).toEqual([202, ...Array(19).fill(409)])
    const taken = answers.findIndex(({ status }) => status === 202)
    expect((await answered(id)).answer).toBe(`Answer ${taken}.`)
    const mails = await answersTo(replyTo)
    expect(mails.map(({ text }) => text.includes(`Answer ${taken}.`))).toEqual([true])
  })

  test('sent twenty times is one answer; another answer under its key is refused', async () => {
    const { id, replyTo } = await ask()
    const key = randomUUID()
    expect(new Set(statuses(await twenty(() => answer(id, 'This is all.', key))))).toEqual(new Set([202]))
    await answered(id)
    expect((await answer(id, 'This is all.', key)).status).toBe(202)
    expect((await answer(id, 'Something else.', key)).status).toBe(422)
    expect((await answer(id, 'Something else.')).status).toBe(409)
    expect((await read(id)).answer).toBe('This is all.')
    expect(await answersTo(replyTo)).toHaveLength(1)
  })

  test('given elsewhere, recorded twenty times at the same time, is taken once and mails nothing', async () => {
    const { id, replyTo } = await ask()
    expect(statuses(await twenty(() => answer(id, null)))).toEqual([202, ...Array(19).fill(409)])
    await answered(id)
    expect(await answersTo(replyTo)).toEqual([])
  })

  test('that did not reach Temporal is neither shown nor mailed, and blocks another answer for a minute at most', async () => {
    const [{ id, replyTo }, other] = [await ask(), await ask()]
    await harness.temporalServer.crash()
    const [lost, repeated] = [randomUUID(), randomUUID()]
    const answers = await Promise.all([answer(id, 'Lost.', lost), answer(other.id, 'Repeated.', repeated)])
    await harness.temporalServer.start()
    expect(statuses(answers)).toEqual([503, 503])
    const unanswered = await read(id)
    expect([unanswered.state, unanswered.answer, unanswered.answerKind]).toEqual(['open', null, null])
    const answerRequest = (of: string, text: string, key: UUID) =>
      until('taken', async () => (await answer(of, text, key)).status === 202, { timeoutMs: 40_000 })
    // Until a minute later its call may still take it.
    expect((await answer(id, 'Another one.')).status).toBe(409)
    await sql`update privacy_requests set answer_stored_at = now() - interval '61 seconds' where id = ${id}`
    await answerRequest(id, 'Another one.', randomUUID())
    await answerRequest(other.id, 'Repeated.', repeated)
    expect((await answer(id, 'Lost.', lost)).status).toBe(409)
    await Promise.all([answered(id), answered(other.id)])
    for (const [address, text] of [
      [replyTo, 'Another one.'],
      [other.replyTo, 'Repeated.'],
    ] as const)
      expect((await answersTo(address)).map((mail) => mail.text.includes(text))).toEqual([true])
  }, 120_000)
})

test('requests while Temporal is down are refused and leave nothing visible; a repeat succeeds, and the sweep settles the other drafts', async () => {
  const [person, replyTo] = [await harness.signUp(), unknownAddress()]
  const asked = underAKey.map(({ path, body }) => ({
    path,
    body: body(),
    headers: { 'idempotency-key': randomUUID() },
  }))
  const left = [
    { path: '/v1/privacy-requests', body: request(replyTo) },
    { path: '/v1/campaigns', body: campaign() },
    { path: '/v1/key-rotations', body: { purpose: 'field' } },
  ]
  const change = () => person.caller.post(`/v1/accounts/${person.accountId}/email-change`, { email: unknownAddress() })
  const drafts = async () => {
    const [row] = await sql<{ requests: number; others: number }[]>`select
      (select count(*)::int from privacy_requests where state = 'draft') as requests,
      (select count(*)::int from campaigns where state = 'draft')
        + (select count(*)::int from email_changes where state = 'draft')
        + (select count(*)::int from key_rotations where status = 'draft') as others`
    return [row?.requests, row?.others]
  }
  const listed = async (path: string) => expectStatus(await harness.operator.get(path), 200).items.length
  const seen = () => Promise.all(underAKey.map(({ path }) => listed(path)))
  const before = await seen()

  await harness.temporalServer.crash()
  const answers = await Promise.all([
    ...asked.map(({ path, body, headers }) => harness.operator.post(path, body, headers)),
    ...left.map(({ path, body }) => harness.operator.post(path, body)),
    change(),
  ])
  expect(statuses(answers)).toEqual(Array(7).fill(503))
  expect(await seen()).toEqual(before)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}/email-change`)).status).toBe(404)
  expect(await drafts()).toEqual([2, 5])
  await harness.temporalServer.start()

  for (const { path, body, headers } of asked) {
    await until(`${path} is granted`, async () => (await harness.operator.post(path, body, headers)).status === 201, {
      timeoutMs: 40_000,
    })
  }
  expect(await drafts()).toEqual([1, 3])
  // The sweep leaves drafts alone whose caller may still wait.
  const early = await runLater<DraftSweepReport>(harness, draftSweepType, 0)
  expect(early).toMatchObject({ started: 0, dropped: 0 })
  const report = await runLater<DraftSweepReport>(harness, draftSweepType, 1)
  expect(report).toMatchObject({ started: 1, dropped: 3 })
  await until('the request is acknowledged', async () => (await mailsTo(harness.stack, replyTo)).length === 1)
  expect(await drafts()).toEqual([0, 0])
  expect(await runLater<DraftSweepReport>(harness, draftSweepType, 1)).toMatchObject({ started: 0, dropped: 0 })
  expectStatus(await change(), 202)
  await everyRowHasItsRun()
}, 180_000)

test('U2: an order that was cancelled by hand still answers messages, and is refunded', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const run = harness.temporal.workflow.getHandle(orderWorkflowId(order.id))
  await run.cancel()
  await until('the run has handled the cancellation request', async () => {
    const { events } = await run.fetchHistory()
    const at = events?.findIndex((event) => event.workflowExecutionCancelRequestedEventAttributes) ?? -1
    return at >= 0 && events?.slice(at).some((event) => event.workflowTaskCompletedEventAttributes)
  })
  // The return is asked of the provider by a handler of the run.
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
})

describe('a run that ends without an outcome', () => {
  const lostRuns = async () =>
    (
      await sql<{ subject_id: string; detail: string }[]>`
        select subject_id, detail from attention where kind = 'run_lost' and resolved_at is null`
    ).map((task): [string, string] => [task.subject_id, task.detail])
  const sweep = () => runLater<DraftSweepReport>(harness, draftSweepType, 0)
  const terminated = async (workflowId: string): Promise<string> => {
    const handle = harness.temporal.workflow.getHandle(workflowId)
    const { runId } = await handle.describe()
    await handle.terminate('by hand')
    return runId
  }
  const untilListed = (runs: string[]) =>
    until('Temporal lists them', async () => {
      const query = `ExecutionStatus = 'Terminated' AND RunId IN (${runs.map((runId) => `'${runId}'`).join(', ')})`
      return (await harness.temporal.workflow.count(query)).count === runs.length
    })

  test('is an operator task until it is reset or its rows are erased', async () => {
    const [person, leaving] = await Promise.all([harness.signUp(), harness.signUp()])
    const unpaid = { pay: false } as const
    const [bought, reset, erased] = await Promise.all([
      harness.buy(person, unpaid),
      harness.buy(person, unpaid),
      harness.buy(leaving, unpaid),
    ])
    const [boughtRun, resetRun, erasedRun] = [
      await terminated(orderWorkflowId(bought.id)),
      await terminated(orderWorkflowId(reset.id)),
      await terminated(orderWorkflowId(erased.id)),
    ]
    await untilListed([boughtRun, resetRun, erasedRun])
    await sweep()
    const tasks = await lostRuns()
    for (const runId of [boughtRun, resetRun, erasedRun]) expect(tasks).toContainEqual([runId, 'order: terminated'])

    expectStatus(await harness.service.delete(`/v1/accounts/${leaving.accountId}`), 200)
    const handle = harness.temporal.workflow.getHandle(orderWorkflowId(reset.id))
    const { events } = await handle.fetchHistory()
    const lastTask = events?.findLast(({ workflowTaskCompletedEventAttributes: completed }) => completed)
    await harness.temporal.workflowService.resetWorkflowExecution({
      namespace: harness.temporal.options.namespace,
      workflowExecution: { workflowId: handle.workflowId, runId: resetRun },
      workflowTaskFinishEventId: lastTask?.eventId ?? null,
      requestId: randomUUID(),
      reason: 'lost',
    })
    await untilValue(
      'only what is still lost is a task',
      async () => {
        await sweep()
        return (await lostRuns()).map(([runId]) => runId)
      },
      (left) => !left.includes(resetRun) && !left.includes(erasedRun),
    )
    expect((await sweep()).lost).toBe(0)
    expect(await lostRuns()).toContainEqual([boughtRun, 'order: terminated'])
  }, 120_000)

  test('U3: is begun once more when its order was delivered: the eSIMs are followed, and nothing is told twice', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
    await until('it is told', async () => (await mailsTo(harness.stack, person.email)).length === 1)
    const runId = await terminated(orderWorkflowId(order.id))
    await untilListed([runId])
    expect((await sweep()).started).toBeGreaterThan(0)
    expect((await lostRuns()).map(([each]) => each)).not.toContain(runId)
    await untilValue(
      'it is followed',
      () => stageOf(harness.temporal, orderWorkflowId(order.id)),
      (stage) => stage === 'delivered',
    )
    await harness.sims.esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 2 ** 30 })
    const mails = await untilValue(
      'the customer is told that the data is used up',
      () => mailsTo(harness.stack, person.email),
      (all) => all.some(({ subject }) => subject.includes('is used up')),
    )
    expect(mails.filter(({ subject }) => subject.includes('is ready'))).toHaveLength(1)
    const { documents, esims } = (await harness.service.get(`/v1/orders/${order.id}`)).body
    expect([documents.length, esims.length]).toEqual([1, 1])
    const placed = await sql`select from provider_orders where order_id = ${order.id}`
    expect(placed.length).toBe(1)
  }, 120_000)

  test('U3: is an operator task as long as its delivered order is in other hands, and begun once more then', async () => {
    const order = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
    const aftercare = await harness.temporal.workflow.start('orderAftercare', {
      ...aftercareStart(harness.config, order.id),
      startDelay: '1 hour',
    })
    const runId = await terminated(orderWorkflowId(order.id))
    await untilListed([runId])
    await sweep()
    expect(await lostRuns()).toContainEqual([runId, 'order: terminated'])
    await aftercare.terminate('by hand')
    await untilValue(
      'it is followed',
      async () => {
        await sweep()
        return stageOf(harness.temporal, orderWorkflowId(order.id))
      },
      (stage) => stage === 'delivered',
    )
    await until('its task is closed', async () => {
      await sweep()
      return !(await lostRuns()).some(([each]) => each === runId)
    })
  }, 120_000)

  test('begins once more from its row, also when it was cancelled by hand', async () => {
    const asked = expectStatus(await harness.operator.post('/v1/privacy-requests', request(unknownAddress())), 201)
    const handle = harness.temporal.workflow.getHandle(privacyRequestWorkflowId(asked.id))
    const { runId } = await handle.describe()
    await handle.cancel()
    await until('it has ended', async () => (await handle.describe()).status.name === 'CANCELLED')
    await until('Temporal lists it', async () => {
      const query = `ExecutionStatus = 'Canceled' AND RunId = '${runId}'`
      return (await harness.temporal.workflow.count(query)).count === 1
    })
    await sweep()
    expect((await lostRuns()).map(([each]) => each)).not.toContain(runId)
    expect((await handle.describe()).status.name).toBe('RUNNING')
  })

  test('is no task when its failure was the answer to its caller', async () => {
    await sweep()
    const before = await lostRuns()
    const accountRef = harness.context.cipher.accountRef(randomUUID())
    const ofNobody = deletionStart({ accountRef, reason: 'requested' }, harness.config.TEMPORAL_TASK_QUEUE)
    await expect(harness.temporal.workflow.execute(accountDeletionType, ofNobody)).rejects.toThrow()
    await sweep()
    expect(await lostRuns()).toEqual(before)
  })
})
