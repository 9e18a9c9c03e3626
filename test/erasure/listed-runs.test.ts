/** G3: a deletion ends although Temporal's list keeps rows of runs that are gone, and takes no run for one of these. */
import { randomUUID } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import proto from '@temporalio/proto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { reviewListedRuns, runsOfTask } from '../../activities/erasure/listed-runs.ts'
import { createDeletionRunActivities } from '../../activities/erasure/runs.ts'
import { createHousekeepingActivities } from '../../activities/housekeeping/housekeeping.ts'
import { reportLostRuns } from '../../activities/housekeeping/lost-runs.ts'
import type { Attention } from '../../db/connection/schema.ts'
import { importReceipts } from '../../db/erasure/carried-receipts.ts'
import { hasSeal, sealSecrets } from '../../db/erasure/deletion-seals.ts'
import { findReceipt } from '../../db/erasure/deletions.ts'
import { findTaskAttributes } from '../../db/operator-tasks.ts'
import { type ErasureStep, erasureSteps, type StepState } from '../../policy/deletion.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { failureCode } from '../../shared/failures.ts'
import { connectTemporal } from '../../temporal/client.ts'
import { isGone } from '../../temporal/listed-runs.ts'
import { orderAftercareWorkflowId } from '../../workflows/order/order.contract.ts'
import { type Deletion, deleteAccount, nothingSealed } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { connectWithKeptRows, type KeptRows, type Row, rowsOf } from '../harness/temporal/kept-rows.ts'
import { until } from '../harness/until.ts'

// The harness verifies the books by orders that still exist.
const harness = await shareStack({ books: false })
const { sql } = harness.context
const { WorkflowExecutionStatus } = proto.temporal.api.enums.v1

let deletion: Deletion
let accountRef: string
/** of the order's run, as Temporal listed it before the deletion */
let row: Row

const runIdOf = ({ execution }: Row): string => execution?.runId ?? ''

beforeAll(async () => {
  const person = await harness.signUp()
  await harness.buy(person)
  accountRef = harness.context.cipher.accountRef(person.accountId)
  ;[row = {}] = await until('the run is listed', async () => {
    const rows = await rowsOf(harness, `AccountRef = '${accountRef}' and WorkflowType = 'order'`)
    return rows.length === 1 && rows
  })
  deletion = await deleteAccount(harness.stack, person)
  await deletion.fastForward('11 minutes')
  for (const processor of ['temporal', 'database'] as const) await deletion.until(processor, 'done')
})

function keeping(kept: KeptRows) {
  const { client, removals, close } = connectWithKeptRows(harness, kept)
  onTestFinished(close)
  return { context: { ...harness.context, temporal: client }, removals }
}

const now = Date.now()
const noBeat = (): void => undefined

/** Looks at the runs of an erased person, as the deletion's run does. @param afterMs since its first check */
async function look(
  context: ReturnType<typeof keeping>['context'],
  { final = true, afterMs = 0, of = accountRef }: { final?: boolean; afterMs?: number; of?: string } = {},
) {
  const info = { scheduledTimestampMs: now, currentAttemptScheduledTimestampMs: now + afterMs }
  const { deleteRuns } = createDeletionRunActivities(context)
  const { receiptId } = deletion
  return new MockActivityEnvironment(info)
    .run(deleteRuns, { receiptId, accountRef: of, final, asOf: new Date().toISOString() })
    .catch((error: unknown) => failureCode(error) ?? error)
}

const stepOf = async (processor: string) => {
  const { processors } = await deletion.receipt()
  const step = processors.find((each) => each.processor === processor)
  return step && { state: step.state, code: step.code }
}

const tasks = () => sql<Attention[]>`
  select * from attention where subject_id = ${deletion.receiptId} and kind = 'deletion_temporal' and resolved_at is null`

test('a run that is gone and still listed is deleted from the list, by the service that Temporal has for it', async () => {
  const { context, removals } = keeping({ rows: [row] })
  expect(await look(context)).toEqual({ state: 'done' })
  expect(removals.map(({ runId }) => runId)).toEqual([runIdOf(row)])
  expect(await stepOf('temporal')).toEqual({ state: 'done', code: null })
})

test('a list that lags behind is waited for, and nobody is asked to delete from it', async () => {
  const { context, removals } = keeping({ rows: [row], goneAfter: 4 })
  expect(await look(context)).toEqual({ state: 'done' })
  expect(removals).toEqual([])
})

test('a run that Temporal does not delete is no run that is gone: the deletion goes on deleting it', {
  tags: 'long',
}, async () => {
  const living = await harness.signUp()
  await harness.buy(living)
  const of = harness.context.cipher.accountRef(living.accountId)
  await until('the run is listed', async () => (await rowsOf(harness, `AccountRef = '${of}'`)).length > 0)
  const { context, removals } = keeping({ rows: [], keepsRuns: true })
  expect(await look(context, { of, afterMs: 2 * periods.deletion.listedRunsMs })).toMatch(/^runs_\d$/)
  expect(removals).toEqual([])
})

test('where Temporal lets nobody delete rows the deletion goes on, and is an operator’s after a day, until the rows are gone', {
  tags: 'long',
}, async () => {
  const { context } = keeping({ rows: [row], refusesAdmins: true })
  const dayMs = periods.deletion.listedRunsMs
  expect(
    await Promise.all([
      look(context, { final: false }),
      look(context),
      look(context, { afterMs: dayMs - 1 }),
      look(context, { afterMs: dayMs }),
    ]),
  ).toEqual([{ state: 'pending' }, 'listed_1', 'listed_1', { state: 'needs_operator', code: 'gone_runs_listed' }])
  expect(await stepOf('temporal')).toEqual({ state: 'needs_operator', code: 'gone_runs_listed' })
  expect(await tasks()).toMatchObject([{ detail: 'gone_runs_listed', attributes: { rows: 1, runs: runIdOf(row) } }])

  // A task that is closed too early comes back.
  await sql`update attention set resolved_at = now(), resolved_by = 'somebody' where subject_id = ${deletion.receiptId}`
  await reviewListedRuns(context, new Date(), noBeat)
  expect(await tasks()).toMatchObject([{ detail: 'gone_runs_listed' }])

  const asked: string[] = []
  const lists = (query: string) => asked.push(query) > 0
  await reviewListedRuns(keeping({ rows: [row], lists }).context, new Date(), noBeat)
  expect(asked.slice(0, 2)).toEqual([`AccountRef = '${accountRef}'`, `RunId in ('${runIdOf(row)}')`])
  expect(await stepOf('temporal')).toEqual({ state: 'done', code: null })
  expect(await tasks()).toEqual([])
})

test('a namespace that the server does not know makes no run gone', async () => {
  const run = { workflowId: `order-${randomUUID()}`, runId: randomUUID() }
  expect(await isGone(harness.temporal, run)).toBe(true)
  const elsewhere = connectTemporal(harness.config, { ...harness.settings, TEMPORAL_NAMESPACE: 'unknown' })
  onTestFinished(() => elsewhere.connection.close())
  await expect(isGone(elsewhere, run)).rejects.toThrow('unknown')
})

/** The row without what makes it a deleted account's. */
const rowOf = (status: proto.temporal.api.enums.v1.WorkflowExecutionStatus): Row => {
  const { searchAttributes: _theirs, ...bare } = row
  return { ...bare, status }
}

/** The deletion of somebody else, of which nothing but listed rows is left; the oldest is looked at first. */
async function leftToOperators(
  daysAgo: number,
  others: Partial<Record<ErasureStep, StepState>> = {},
): Promise<{ receiptId: string; accountRef: string }> {
  const erased = { receiptId: randomUUID(), accountRef: harness.context.cipher.accountRef(randomUUID()) }
  const erasedAt = plusDays(new Date(), -daysAgo)
  const step = {
    processor: 'temporal',
    state: 'needs_operator',
    code: 'gone_runs_listed',
    changedAt: erasedAt,
  } as const
  const steps = erasureSteps.flatMap((processor) => {
    const state = others[processor]
    return state ? [{ processor, state, code: null, changedAt: erasedAt }] : []
  })
  const dates = { erasedAt, backupsGoneBy: erasedAt, completedAt: null }
  await importReceipts(sql, [{ ...erased, ...dates, reason: 'requested', steps: [step, ...steps] }])
  return erased
}

const isComplete = async ({ receiptId }: { receiptId: string }) =>
  (await findReceipt(sql, receiptId))?.completedAt !== null
const rowWith = (runId: string, of: Row): Row => ({ ...of, execution: { ...of.execution, runId } })

test('a deletion whose rows Temporal does not list keeps no other one from being completed, and is looked at again', async () => {
  const [later, earlier] = [await leftToOperators(1), await leftToOperators(2)]
  const beat = vi.fn<() => void>()
  const review = (kept: KeptRows) => reviewListedRuns(keeping(kept).context, new Date(), beat)
  await review({ rows: [], refusesList: (query) => query.includes(earlier.accountRef) })
  expect([await isComplete(earlier), await isComplete(later)]).toEqual([false, true])
  expect(beat.mock.calls.length).toBeGreaterThanOrEqual(3)
  await review({ rows: [] })
  expect(await isComplete(earlier)).toBe(true)
})

test('each row that is looked at shows that the check goes on: a server may take ten seconds for its answer', async () => {
  const erased = await leftToOperators(1)
  const rows = Array.from({ length: 5 }, () => rowWith(randomUUID(), row))
  const beat = vi.fn<() => void>()
  await reviewListedRuns(keeping({ rows, refusesAdmins: true }).context, new Date(), beat)
  expect(beat.mock.calls.length).toBeGreaterThan(rows.length)
  await reviewListedRuns(keeping({ rows: [] }).context, new Date(), noBeat)
  expect(await isComplete(erased)).toBe(true)
})

test('a task names each row that its account does not find, however many there are', { tags: 'long' }, async () => {
  const erased = await leftToOperators(1)
  const { searchAttributes: _none, ...bare } = row
  const unfound = Array.from({ length: 55 }, () => randomUUID())
  const found = Array.from({ length: 55 }, () => randomUUID())
  const rows = [...found.map((id) => rowWith(id, row)), ...unfound.map((id) => rowWith(id, bare))]
  await reviewListedRuns(keeping({ rows, refusesAdmins: true }).context, new Date(), noBeat)
  const namedIn = async () => {
    const task = { kind: 'deletion_temporal', subjectId: erased.receiptId }
    return `${(await findTaskAttributes(sql, task))?.runs}`.split(' ').sort()
  }
  expect(await namedIn()).toEqual(unfound.sort())

  // Nothing else finds them: they are asked for by what the task names.
  const asked: string[] = []
  const lists = (query: string) => asked.push(query) > 0
  await reviewListedRuns(keeping({ rows: [], lists }).context, new Date(), noBeat)
  expect(unfound.filter((id) => !asked.some((query) => query.includes(id)))).toEqual([])
  expect(await isComplete(erased)).toBe(true)
})

test('rows of a deletion whose task a restore has lost are found by the seal, as long as it has the ids', async () => {
  const erased = await leftToOperators(1, { database: 'done', backups: 'pending' })
  const [accountId, orderId, runId] = [randomUUID(), randomUUID(), randomUUID()]
  const trace = { ids: [accountId, orderId], blinds: [], orderIds: [orderId], transaction: '1' }
  await sql.begin((tx) => sealSecrets(tx, harness.context, erased.receiptId, { ...nothingSealed, trace }))
  const { searchAttributes: _none, ...bare } = row
  const workflowId = orderAftercareWorkflowId(orderId)
  const rows = [{ ...bare, execution: { workflowId, runId } }]
  const lists = (query: string) => query.includes(workflowId)
  await reviewListedRuns(keeping({ rows, lists, refusesAdmins: true }).context, new Date(), noBeat)
  const task = { kind: 'deletion_temporal', subjectId: erased.receiptId }
  expect(await findTaskAttributes(sql, task)).toEqual({ rows: 1, runs: runId })
  expect(await hasSeal(sql, erased.receiptId)).toBe(true)
  await reviewListedRuns(keeping({ rows: [] }).context, new Date(), noBeat)
  // The last backup is still to go, and nothing needs the ids any more.
  expect(await isComplete(erased)).toBe(false)
  expect(await hasSeal(sql, erased.receiptId)).toBe(false)
})

test('a service for administrators that does not answer is not asked about each row', async () => {
  const erased = await leftToOperators(1)
  const rows = Array.from({ length: 3 }, () => rowWith(randomUUID(), row))
  const asks = async (refusesAdmins: status) => {
    const { context, removals } = keeping({ rows, refusesAdmins })
    await reviewListedRuns(context, new Date(), noBeat)
    return removals.length
  }
  expect([await asks(status.DEADLINE_EXCEEDED), await asks(status.PERMISSION_DENIED)]).toEqual([1, 3])
  await reviewListedRuns(keeping({ rows: [] }).context, new Date(), noBeat)
  expect(await isComplete(erased)).toBe(true)
})

test('where few rows have no account, a task names some that it finds as well', () => {
  const some = (count: number, isOfAccount: boolean) =>
    Array.from({ length: count }, () => ({ workflowId: 'order', runId: randomUUID(), isOfAccount }))
  const [found, unfound] = [some(60, true), some(2, false)]
  const { rows, runs } = runsOfTask([...found, ...unfound])
  const named = `${runs}`.split(' ')
  expect({ rows, named: named.length }).toEqual({ rows: 62, named: 50 })
  expect(named.slice(0, 2)).toEqual(unfound.map(({ runId }) => runId))
})

test('a row of a run that is gone is no overdue run: nobody could make it go on', async () => {
  const rows = [rowOf(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING)]
  const { context } = keeping({ rows, lists: (query) => query.includes('DueAt <') })
  const { reportOverdue } = createHousekeepingActivities(context)
  const input = { asOf: new Date().toISOString() }
  expect(await new MockActivityEnvironment().run(reportOverdue, input)).toMatchObject({ runs: 0 })
})

test('a row of a run that is gone is no lost run, and keeps no others from being reported', async () => {
  // Of a schedule, so that no later run of its workflow id speaks for it.
  const metadata = { encoding: Buffer.from('json/plain'), type: Buffer.from('Keyword') }
  const scheduled = { indexedFields: { TemporalScheduledById: { metadata, data: Buffer.from('"none"') } } }
  const failed = rowOf(WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED)
  const rows = [{ ...failed, closeTime: row.startTime ?? null, searchAttributes: scheduled }]
  const { context } = keeping({ rows, lists: (query) => query.includes("'Failed'") })
  const report = () => reportLostRuns(context, { at: new Date(), readUntil: undefined })
  expect(await new MockActivityEnvironment().run(report)).toEqual({ reported: 0, followed: 0 })
})

test('the runs that were lost while all workers were down are asked for, however long that was', async () => {
  const asked: string[] = []
  const { context } = keeping({
    rows: [],
    lists(query) {
      asked.push(query)
      return false
    },
  })
  const at = new Date()
  const readUntil = plusDays(at, -8)
  await new MockActivityEnvironment().run(() => reportLostRuns(context, { at, readUntil }))
  const since = /CloseTime > '(.+)'/.exec(asked.find((query) => query.includes('CloseTime')) ?? '')?.[1]
  expect(new Date(since ?? 0).getTime()).toBeLessThan(readUntil.getTime())
})
