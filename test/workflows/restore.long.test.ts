/**
 * U2: paid means delivered or refunded. Orders and payments that a restore could not rebuild are settled before the API
 * takes requests.
 */
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { databaseUrl, withDatabase } from '../../db/backup/restore.ts'
import type { Queryable } from '../../db/connection/database.ts'
import type { Orders, RestoredItems } from '../../db/connection/schema.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { backupType } from '../../workflows/backup/backup.contract.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { createSurfer } from '../harness/browser.ts'
import { always } from '../harness/checks/placements.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { closeForRestore, loseOrder, startRestoreRun } from '../harness/lost.ts'
import { startProgram } from '../harness/processes.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.stack.context
const { stripe, esimAccess, airalo } = harness.sims

const report = async () => expectStatus(await harness.operator.get('/v1/restores'), 200).items[0]
const isOpen = async (): Promise<boolean> => (await report()).openedAt !== null
const untilOpen = async () => {
  await until('the API is opened', isOpen)
  // Each process learns it within half a second.
  await until('requests are answered', async () => (await harness.service.get('/v1/packages')).status === 200)
}
const item = z.object({
  kind: z.string(),
  subjectId: z.string(),
  outcome: z.string(),
  detail: z.string().nullable(),
})
const items = async (restoreId: string) => {
  const answer = await harness.operator.get(`/v1/restores/${restoreId}/items`)
  return expectStatus(answer, 200, z.object({ items: z.array(item) })).items
}

async function refundedOf(paymentIntentId: string): Promise<number> {
  const { refunds } = await stripe.state()
  return refunds.reduce((sum, { payment_intent, amount }) => sum + (payment_intent === paymentIntentId ? amount : 0), 0)
}

const stripeDown = () => stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: always })

describe('U2: the run of a restore', () => {
  test('refunds and returns what no order explains, and then lets the API take requests', async () => {
    const [unused, used, air] = await Promise.all([
      loseOrder(harness),
      loseOrder(harness, ({ esims }) => esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })),
      loseOrder(harness, undefined, testPackages.onlyAiralo),
    ])
    const id = await closeForRestore(harness, [unused, used, air])
    await until('the API refuses requests', async () => (await harness.service.get('/v1/packages')).status === 503)
    await startRestoreRun(harness, id)
    await untilOpen()
    await until('requests are answered', async () => (await harness.service.get('/v1/packages')).status === 200)
    const run = harness.temporal.workflow.getHandle(`restore-${id}`)
    expect(await run.result()).toEqual({ undecided: 0 })

    expect((await items(id)).map(({ subjectId, outcome, detail }) => [subjectId, outcome, detail]).sort()).toEqual(
      [
        [unused.lost.paymentIntentId, 'refunded', 'account_lost'],
        [used.lost.paymentIntentId, 'refunded', 'account_lost'],
        [air.lost.paymentIntentId, 'refunded', 'account_lost'],
        [unused.lost.providerOrder, 'given_back', 'account_lost'],
        [air.lost.providerOrder, 'given_back', 'account_lost'],
        [used.lost.providerOrder, 'given_back', 'kept_in_use'],
      ].sort(),
    )
    for (const { lost } of [unused, used, air]) expect(await refundedOf(lost.paymentIntentId)).toBe(500)
    expect((await esimAccess.state()).cancels).toHaveLength(1)
    expect((await airalo.state()).refunds).toHaveLength(1)
    // Nothing of the plans is kept, and the books have the refund under a number of the new series.
    expect(await sql<Pick<RestoredItems, 'plan'>[]>`select plan from restored_items where plan is not null`).toEqual([])
    const { series } = await report()
    const notes = await sql<{ series: string }[]>`select series from invoices where kind = 'credit_note'`
    expect(notes.map((note) => note.series)).toEqual(Array(3).fill(expect.stringMatching(`^AMA-CN-\\d{4}-${series}$`)))
    // Their runs would act on orders that are gone: they fail by that, or are ended.
    const { status } = await harness.temporal.workflow.getHandle(`order-${unused.lost.order.id}`).describe()
    expect(['TERMINATED', 'FAILED']).toContain(status.name)
  })

  test('refunds once, however often it is run', async () => {
    const order = await loseOrder(harness)
    for (let times = 0; times < 2; times += 1) {
      const id = await closeForRestore(harness, [order])
      await startRestoreRun(harness, id)
      await untilOpen()
    }
    expect(await refundedOf(order.lost.paymentIntentId)).toBe(500)
  })

  test('lets the API take requests after 20 minutes when Stripe is down, and refunds later', async () => {
    const order = await loseOrder(harness)
    await stripeDown()
    const id = await closeForRestore(harness, [order])
    const workflowId = await startRestoreRun(harness, id)
    await fastForward(harness.temporal, workflowId, '15 minutes')
    expect(await isOpen()).toBe(false)
    await fastForward(harness.temporal, workflowId, '10 minutes')
    await untilOpen()
    await stripe.clearFaults()
    await fastForward(harness.temporal, workflowId, '2 hours')
    await until('it is refunded', async () => (await refundedOf(order.lost.paymentIntentId)) === 500)
  })

  test('lets the API take requests at once when Stripe refuses one refund, and asks again later', async () => {
    const order = await loseOrder(harness)
    const refusal = { error: { type: 'invalid_request_error', code: 'charge_disputed', message: 'It is disputed' } }
    const match = { method: 'POST', path: '^/v1/refunds' }
    await stripe.fault({ match, status: 400, body: refusal, times: always })
    const id = await closeForRestore(harness, [order])
    const workflowId = await startRestoreRun(harness, id)
    await untilOpen()
    expect(await refundedOf(order.lost.paymentIntentId)).toBe(0)
    await stripe.clearFaults()
    await fastForward(harness.temporal, workflowId, '1 hour')
    await until('it is refunded', async () => (await refundedOf(order.lost.paymentIntentId)) === 500)
  })

  test('leaves to an operator what it cannot settle within a week', async () => {
    const order = await loseOrder(harness)
    await stripeDown()
    const id = await closeForRestore(harness, [order])
    await fastForward(harness.temporal, await startRestoreRun(harness, id), '8 days')
    await until('it is left to an operator', async () =>
      (await items(id)).some(({ kind, outcome }) => kind === 'payment' && outcome === 'undecided'),
    )
    const tasks = await sql`select kind, detail from attention
      where subject_id = ${order.lost.paymentIntentId} and resolved_at is null`
    expect(tasks).toEqual([{ kind: 'payment_without_order', detail: 'restore' }])
    await stripe.clearFaults()
  })

  test('leaves a refund to an operator that bounces before it is found, its reply lost', async () => {
    const order = await loseOrder(harness)
    const { paymentIntentId } = order.lost
    const listing = { method: 'GET', path: `^/v1/refunds.*${paymentIntentId}` }
    // It is looked for before it is made.
    await stripe.fault({ match: listing, delayMs: 1 })
    await stripe.fault({ match: listing, status: 503, times: always })
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, cut: 'after' })
    const id = await closeForRestore(harness, [order])
    const workflowId = await startRestoreRun(harness, id)
    await until('it is made', async () => (await refundedOf(paymentIntentId)) === 500)
    await stripe.do('fail-refund', { paymentIntent: paymentIntentId })
    await stripe.clearFaults()
    await fastForward(harness.temporal, workflowId, '25 minutes')
    await untilOpen()
    await fastForward(harness.temporal, workflowId, '8 days')
    await until('it is left to an operator', async () =>
      (await items(id)).some(({ subjectId, outcome }) => subjectId === paymentIntentId && outcome === 'undecided'),
    )
  })

  test('settles the others when one item can never be, and leaves that to an operator', async () => {
    const [good, bad] = [await loseOrder(harness), await loseOrder(harness)]
    const id = await closeForRestore(harness, [good, bad])
    await sql`update restored_items set plan = jsonb_set(plan, '{factId}', '"none"')
      where restore_id = ${id} and subject_id = ${bad.lost.paymentIntentId}`
    const workflowId = await startRestoreRun(harness, id)
    await fastForward(harness.temporal, workflowId, '25 minutes')
    await untilOpen()
    expect(await refundedOf(good.lost.paymentIntentId)).toBe(500)
    await fastForward(harness.temporal, workflowId, '8 days')
    await until('it is left to an operator', async () =>
      (await items(id)).some(
        ({ subjectId, outcome }) => subjectId === bad.lost.paymentIntentId && outcome === 'undecided',
      ),
    )
  })

  test('is started by the draft sweep when the command was killed', async () => {
    await closeForRestore(harness, [])
    expect(await runLater(harness, draftSweepType, 0)).toMatchObject({ started: 1 })
    await untilOpen()
  })
})

test('without Temporal, payments that are newer than the backup are refunded; sessions of the backup have ended', async () => {
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  await runLater(harness, backupType, 0)
  const { id } = await harness.buy(await harness.signUp())
  const [row] = await sql<Pick<Orders, 'payment_intent_id'>[]>`select payment_intent_id from orders where id = ${id}`
  const args = ['--import', 'tsx', 'cli/restore.ts', 'latest', databaseUrl(harness.config.DATABASE_URL, 'alone')]
  const alone = { ...harness.settings, TEMPORAL_ADDRESS: '127.0.0.1:9' }
  const refused = startProgram(process.execPath, args, alone)
  expect(await refused.ended).toMatchObject({ code: 1 })
  expect(refused.output()).toContain('--without-runs')
  const restored = startProgram(process.execPath, [...args, '--without-runs'], alone)
  expect(await restored.ended, restored.output()).toMatchObject({ code: 0 })
  const left = await withDatabase(
    databaseUrl(harness.config.DATABASE_URL, 'alone'),
    (database) =>
      database<Pick<RestoredItems, 'kind' | 'outcome' | 'detail'>[]>`
      select kind, outcome, detail from restored_items where subject_id = ${row?.payment_intent_id ?? ''}`,
  )
  expect([...left]).toEqual([{ kind: 'payment', outcome: 'to_settle', detail: 'no_run' }])
  const sessionsOf = (database: Queryable) => database`select 1 from web_sessions`
  expect(await sessionsOf(sql)).not.toHaveLength(0)
  expect(await withDatabase(databaseUrl(harness.config.DATABASE_URL, 'alone'), sessionsOf)).toHaveLength(0)
})

test('a database that somebody has begun to use meanwhile is not replaced', async () => {
  await runLater(harness, backupType, 0)
  const url = databaseUrl(harness.config.DATABASE_URL, 'begun')
  await withDatabase(harness.config.DATABASE_URL, (database) => database`create database begun`)
  const args = ['--import', 'tsx', 'cli/restore.ts', 'latest', url]
  const program = startProgram(process.execPath, args, harness.settings)
  await program.untilWritten(/^Restoring /m)
  await withDatabase(url, (database) => database`create table used ()`)
  expect(await program.ended).toMatchObject({ code: 1 })
  expect(program.output()).toContain('not empty any more')
  expect(await withDatabase(url, (database) => database`select from used`)).toEqual([])
})

test('U6: no series of invoices is used before and after a restore, and none has a gap', async () => {
  const numberOf = async (): Promise<string> => {
    const { documents } = await harness.buy(await harness.signUp())
    return documents[0].number
  }
  const numbers = [await numberOf()]
  for (let times = 0; times < 2; times += 1) {
    await startRestoreRun(harness, await closeForRestore(harness, []))
    await untilOpen()
    await until('requests are answered', async () => (await harness.service.get('/v1/packages')).status === 200)
    numbers.push(await numberOf(), await numberOf())
  }
  const series = numbers.map((number) => number.replace(/-\d+$/, ''))
  expect(new Set(series).size).toBe(3)
  expect([series[1], series[3]]).toEqual([series[2], series[4]])
})

test('the report of a restore is for operators', async () => {
  const { id } = await report()
  for (const path of ['/v1/restores', `/v1/restores/${id}/items`]) {
    for (const caller of [harness.service, harness.anonymous])
      expect([401, 403]).toContain((await caller.get(path)).status)
  }
  expect((await harness.operator.get(`/v1/restores/${crypto.randomUUID()}/items`)).status).toBe(404)
})
