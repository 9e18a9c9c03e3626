import type { Duration } from '@temporalio/common'
import { afterEach, describe, expect, test } from 'vitest'
import { milliseconds } from '../../../policy/periods.ts'
import { plusDays, plusYears } from '../../../shared/calendar.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import {
  accountDeletionType,
  accountDeletionWorkflowId,
  deletionStart,
} from '../../../workflows/account-deletion.contract.ts'
import {
  accountInactivityType,
  inactivityState,
  inactivitySweepType,
  inactivityWorkflowId,
} from '../../../workflows/retention/account-inactivity.contract.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { loseAccount } from '../../harness/lost.ts'
import { untilWaitsForTimer } from '../../harness/temporal/wait-for-timer.ts'
import { until } from '../../harness/until.ts'

const harness = await shareStack()
const { sql, cipher } = harness.context
const { day } = milliseconds

afterEach(() => harness.sims.mailbox.do('clear-rules', {}))

/** Signs up a person and moves their last use to that time. */
async function lastUsed(at: Date) {
  const person = await harness.signUp()
  await sql`update accounts set last_active_at = ${at} where id = ${person.accountId}`
  return person
}

const handleOf = (accountId: string) => harness.temporal.workflow.getHandle(inactivityWorkflowId(accountId))

async function startRun(accountId: string) {
  await harness.temporal.workflow.start(accountInactivityType, {
    workflowId: inactivityWorkflowId(accountId),
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
    args: [{ accountId }],
  })
}

let sweeps = 0
async function sweep(): Promise<{ opened: number }> {
  sweeps += 1
  return harness.temporal.workflow.execute(inactivitySweepType, {
    workflowId: `sweep-${sweeps}`,
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
  })
}

const forward = (accountId: string, duration: Duration) =>
  fastForward(harness.temporal, inactivityWorkflowId(accountId), duration)

/** Waits until the first warning was sent and the run waits for the second. */
async function untilWarned(accountId: string): Promise<void> {
  await until('the first warning', async () => (await handleOf(accountId).query(inactivityState)).status === 'warned')
  await untilWaitsForTimer(harness.temporal, inactivityWorkflowId(accountId))
}

/** The days before the deletion and the deletion date that the warnings of a person name. */
async function warnings(email: string): Promise<{ days: number; deletionDate: string }[]> {
  const mails = await harness.sims.mailbox.do('find', { to: email })
  return mails.flatMap(({ subject, text }) => {
    const days = /deleted in (\d+) days/.exec(subject)?.[1]
    const date = /delete it on\s+(\d+ \w+ \d+)/.exec(text.replaceAll('\n', ' '))?.[1]
    return days ? [{ days: Number(days), deletionDate: date ?? '' }] : []
  })
}

const inWords = (at: Date) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(at)

const isDeleting = async (accountId: string): Promise<boolean> => {
  const workflowId = accountDeletionWorkflowId(cipher.accountRef(accountId))
  return harness.temporal.workflow
    .getHandle(workflowId)
    .describe()
    .then(
      () => true,
      () => false,
    )
}

describe('the inactivity sweep', () => {
  test('starts one run for each account near three years without use, and for no other', async () => {
    const now = new Date()
    const due = await lastUsed(plusYears(plusDays(now, 59), -3))
    const near = await lastUsed(plusYears(plusDays(now, 61), -3))
    const young = await lastUsed(plusYears(plusDays(now, 90), -3))
    expect(await sweep()).toEqual({ opened: 2 })
    expect((await handleOf(near.accountId).query(inactivityState)).status).toBe('waiting')
    await until('the first warning', async () => (await warnings(due.email)).length === 1)
    await expect(handleOf(young.accountId).describe()).rejects.toThrow()
    expect(await sweep()).toEqual({ opened: 0 })
  })

  test('replaces a run that was lost', async () => {
    const person = await lastUsed(plusYears(plusDays(new Date(), 30), -3))
    await sweep()
    await untilWarned(person.accountId)
    const { deletesAt } = await handleOf(person.accountId).query(inactivityState)
    await handleOf(person.accountId).terminate('lost')
    await sql`update inactivity set check_by = now() - interval '1 hour' where account_id = ${person.accountId}`
    expect(await sweep()).toEqual({ opened: 1 })
    const state = await until('the new run', async () => {
      const seen = await handleOf(person.accountId).query(inactivityState)
      return seen.status === 'warned' && seen
    })
    expect(state.deletesAt).toBe(deletesAt)
    expect(await warnings(person.email)).toHaveLength(1)
  })
})

describe('an unused account', () => {
  test('R1: an unused account is warned 60, 30 and 7 days before, and erased after three years', async () => {
    const at = new Date(Date.now() - day)
    const person = await lastUsed(at)
    const end = plusYears(at, 3)
    await startRun(person.accountId)
    await forward(person.accountId, plusDays(end, -61).getTime() - Date.now())
    expect(await warnings(person.email)).toEqual([])
    await forward(person.accountId, '60 days')
    expect((await warnings(person.email)).map(({ days }) => days)).toEqual([60, 30, 7])
    expect(new Set((await warnings(person.email)).map(({ deletionDate }) => deletionDate))).toEqual(
      new Set([inWords(end)]),
    )
    expect((await handleOf(person.accountId).query(inactivityState)).deletesAt).toBe(end.toISOString())
    expect(await isDeleting(person.accountId)).toBe(false)
    const { outcome, now } = await forward(person.accountId, '2 days')
    expect(outcome).toBe('ended')
    expect(now.getTime()).toBeGreaterThanOrEqual(end.getTime())
    expect(await isDeleting(person.accountId)).toBe(true)
  })

  test('last used on 29 February is erased on 28 February', async () => {
    let leapDay = new Date(Date.UTC(new Date().getUTCFullYear() + 1, 1, 29, 18))
    while (leapDay.getUTCDate() !== 29) leapDay = new Date(Date.UTC(leapDay.getUTCFullYear() + 1, 1, 29, 18))
    const person = await lastUsed(leapDay)
    await startRun(person.accountId)
    const { now } = await forward(person.accountId, leapDay.getTime() - Date.now() + (3 * 365 + 2) * day)
    expect(now.toISOString()).toMatch(new RegExp(`^${leapDay.getUTCFullYear() + 3}-02-28T18:00:0`))
    expect(await warnings(person.email)).toHaveLength(3)
    expect(await isDeleting(person.accountId)).toBe(true)
  })

  test('that was unused for much longer is erased sixty days after its first warning', { tags: 'long' }, async () => {
    const person = await lastUsed(plusYears(new Date(), -5))
    const before = Date.now()
    await startRun(person.accountId)
    await until('the first warning', async () => (await warnings(person.email)).length === 1)
    await forward(person.accountId, '59 days')
    expect(await isDeleting(person.accountId)).toBe(false)
    const { now } = await forward(person.accountId, '2 days')
    expect(now.getTime()).toBeGreaterThanOrEqual(before + 60 * day)
    expect(await isDeleting(person.accountId)).toBe(true)
  })

  test('is kept when the person signs in within the last hour', async () => {
    const at = plusYears(plusDays(new Date(), 61), -3)
    const person = await lastUsed(at)
    await startRun(person.accountId)
    await forward(person.accountId, plusYears(at, 3).getTime() - Date.now() - day / 24)
    expect(await warnings(person.email)).toHaveLength(3)
    await person.caller.get(`/v1/accounts/${person.accountId}`)
    const { outcome } = await forward(person.accountId, '2 hours')
    expect(outcome).toBe('ended')
    expect(await handleOf(person.accountId).result()).toMatchObject({ status: 'active' })
    expect(await isDeleting(person.accountId)).toBe(false)
    expect(await sql`select from inactivity where account_id = ${person.accountId}`).toHaveLength(0)
    expect(await sweep()).toEqual({ opened: 0 })
  })

  test('is kept when the person signs in after the last check, while no worker runs', { tags: 'long' }, async () => {
    const at = plusYears(plusDays(new Date(), 61), -3)
    const person = await lastUsed(at)
    await startRun(person.accountId)
    await forward(person.accountId, plusYears(at, 3).getTime() - Date.now() - day / 24)
    await harness.worker.stop()
    const { args, workflowId, ...start } = deletionStart(
      { accountRef: cipher.accountRef(person.accountId), reason: 'inactivity' },
      harness.config.TEMPORAL_TASK_QUEUE,
    )
    const deletion = await harness.temporal.workflow.start(accountDeletionType, { ...start, workflowId, args })
    expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}`), 200)
    await harness.worker.start()
    await expect(deletion.result()).rejects.toMatchObject({ cause: { type: 'AccountInUse' } })
    expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}`), 200)
    expect(await sql`select from inactivity where account_id = ${person.accountId}`).toHaveLength(0)
    // The person can still delete the account.
    expect(expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}`), 200).reason).toBe('requested')
  })

  test('is kept when it buys something, by any caller', async () => {
    const person = await lastUsed(plusYears(plusDays(new Date(), 59), -3))
    await startRun(person.accountId)
    await untilWarned(person.accountId)
    expect(await warnings(person.email)).toHaveLength(1)
    await harness.buy({ accountId: person.accountId }, { pay: false })
    await forward(person.accountId, '31 days')
    expect(await handleOf(person.accountId).result()).toMatchObject({ status: 'active' })
  })
})

test('a mail server that is down for three days postpones the first warning and the deletion; a later warning postpones nothing', {
  tags: 'long',
}, async () => {
  const down = () => harness.sims.mailbox.do('rule', { recipient: '@people.example', code: 421 })
  const up = () => harness.sims.mailbox.do('clear-rules', {})
  const at = plusYears(plusDays(new Date(), 61), -3)
  const end = plusYears(at, 3)
  const [unwarned, warned] = [await lastUsed(at), await lastUsed(at)]
  for (const { accountId } of [unwarned, warned]) await startRun(accountId)
  const both = (duration: Duration) =>
    Promise.all([unwarned, warned].map(({ accountId }) => forward(accountId, duration)))

  await forward(warned.accountId, plusDays(end, -31).getTime() - Date.now())
  expect((await warnings(warned.email)).map(({ days }) => days)).toEqual([60])
  await down()
  // Each hour has an attempt: three days of them show what weeks would.
  const [before] = await both('3 days')
  expect(await warnings(unwarned.email)).toEqual([])
  await up()
  await both('5 hours')

  const [first] = await warnings(unwarned.email)
  const { deletesAt } = await handleOf(unwarned.accountId).query(inactivityState)
  const late = new Date(deletesAt ?? 0).getTime() - plusDays(before?.now ?? end, 60).getTime()
  expect(late).toBeGreaterThanOrEqual(0)
  expect(late).toBeLessThan(5 * 3_600_000)
  expect(first).toEqual({ days: 60, deletionDate: inWords(new Date(deletesAt ?? 0)) })
  expect((await warnings(warned.email)).map(({ days }) => days)).toEqual([60, 28])

  await forward(unwarned.accountId, '59 days')
  expect((await warnings(unwarned.email)).map(({ days }) => days)).toEqual([60, 30, 7])
  expect(await isDeleting(unwarned.accountId)).toBe(false)
  await forward(unwarned.accountId, '1 day')
  expect(await isDeleting(unwarned.accountId)).toBe(true)

  await down()
  const { outcome, now } = await forward(warned.accountId, '29 days')
  expect(outcome).toBe('ended')
  expect(Math.abs(now.getTime() - end.getTime())).toBeLessThan(60_000)
  expect(await isDeleting(warned.accountId)).toBe(true)
  expect(await warnings(warned.email)).toHaveLength(2)
})

test('the inactivity run ends when its account is erased', async () => {
  const person = await lastUsed(plusYears(plusDays(new Date(), 40), -3))
  await startRun(person.accountId)
  await until('the first warning', async () => (await warnings(person.email)).length === 1)
  await loseAccount(sql, person.accountId)
  await forward(person.accountId, '31 days')
  expect(await handleOf(person.accountId).result()).toMatchObject({ status: 'gone' })
})
