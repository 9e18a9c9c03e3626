/** Schedules are updated to the list. */
import { Client, Connection, type ScheduleOptions } from '@temporalio/client'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { listSilentSchedules } from '../../api/evidence/silent-schedules.ts'
import { startTemporal } from '../../dev/temporal/temporal.ts'
import { createLog } from '../../shared/log.ts'
import { keepSchedules, reconcileSchedules, type ScheduleEntry } from '../../worker/schedules.ts'
import { until } from '../harness/until.ts'

const server = await startTemporal({ namespace: 'default' })
const connection = await Connection.connect({ address: server.address })
const client = new Client({ connection })
afterAll(async () => {
  await connection.close()
  await server.stop()
})

const nightly: ScheduleEntry = { id: 'nightly', workflowType: 'sweep', summary: 'A sweep', when: { cron: '0 3 * * *' } }
const handle = client.schedule.getHandle('ama-nightly')
const ids = async (): Promise<string[]> => {
  const found: string[] = []
  for await (const { scheduleId } of client.schedule.list()) found.push(scheduleId)
  return found.sort()
}

beforeEach(() => reconcileSchedules(client, 'queue', []))

test('reconciling twice creates a schedule once', async () => {
  await reconcileSchedules(client, 'queue', [nightly])
  await reconcileSchedules(client, 'queue', [nightly])
  const { spec, action } = await handle.describe()
  expect(spec.calendars).toHaveLength(1)
  expect(action).toMatchObject({ workflowType: 'sweep', taskQueue: 'queue', staticSummary: 'A sweep' })
})

test('a changed schedule is updated, and an operator’s pause is kept', async () => {
  await reconcileSchedules(client, 'queue', [nightly])
  await handle.pause('looking into something')
  await reconcileSchedules(client, 'queue', [{ ...nightly, when: { every: '2 hours' }, workflowType: 'other' }])
  const { spec, action, state } = await handle.describe()
  expect(spec.intervals).toHaveLength(1)
  expect(action).toMatchObject({ workflowType: 'other' })
  expect(state).toMatchObject({ paused: true, note: 'looking into something' })
})

test('a schedule that is no longer listed is deleted; another application’s schedule stays', async () => {
  await client.schedule.create({
    scheduleId: 'somebody-elses',
    spec: { intervals: [{ every: '1 day' }] },
    action: { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs' },
  })
  await reconcileSchedules(client, 'queue', [nightly, { ...nightly, id: 'other' }])
  await until('both are listed', async () => (await ids()).length === 3)
  await reconcileSchedules(client, 'queue', [nightly])
  await until('one is gone', async () => (await ids()).join() === 'ama-nightly,somebody-elses')
})

test('a schedule with `atOnce` runs when it is created, and not when it is updated', async () => {
  const atOnce: ScheduleEntry = { ...nightly, id: 'at-once', atOnce: true }
  await reconcileSchedules(client, 'queue', [atOnce])
  const count = async () => (await client.schedule.getHandle('ama-at-once').describe()).info.numActionsTaken
  await until('it has run', async () => (await count()) === 1)
  await reconcileSchedules(client, 'queue', [atOnce])
  expect(await count()).toBe(1)
})

test('a schedule that starts no runs is silent after two of its periods, paused or not, and another one’s never is', async () => {
  const hourly: ScheduleEntry = { ...nightly, id: 'hourly', when: { every: '1 hour' }, atOnce: true }
  await client.schedule.create({
    scheduleId: 'of-another-application',
    spec: { intervals: [{ every: '1 hour' }] },
    action: { type: 'startWorkflow', workflowType: 'theirs', taskQueue: 'theirs' },
  })
  await reconcileSchedules(client, 'queue', [nightly, hourly])
  const after = async (hours: number) => {
    const at = new Date(Date.now() + hours * 3_600_000)
    const silent = await listSilentSchedules(client, { at, answerWithinMs: 5_000 })
    return silent.map(({ id, isPaused, lastRunAt }) => [id, isPaused, lastRunAt !== undefined]).sort()
  }
  await until('its run is listed', async () => (await after(3)).some(([, , hasRun]) => hasRun))
  expect(await after(0)).toEqual([])
  expect(await after(2)).toEqual([])
  expect(await after(3)).toEqual([['ama-hourly', false, true]])
  await client.schedule.getHandle('ama-nightly').pause()
  await until('the pause is listed', async () => (await after(49)).some(([, isPaused]) => isPaused))
  expect(await after(48)).toEqual([['ama-hourly', false, true]])
  expect(await after(49)).toEqual([
    ['ama-hourly', false, true],
    ['ama-nightly', true, false],
  ])
  await client.schedule.getHandle('of-another-application').delete()
})

test('a Temporal that refuses does not end the worker: its schedules are written once it takes them', async () => {
  const refuse = { times: 2 }
  const refusing = async (options: ScheduleOptions) => {
    refuse.times -= 1
    if (refuse.times >= 0) throw new Error('rate limited')
    return client.schedule.create(options)
  }
  const flaky: Client = Object.assign(Object.create(client), {
    schedule: Object.assign(Object.create(client.schedule), { create: refusing }),
  })
  const log = createLog({ level: 'silent' })
  const { signal } = new AbortController()
  await keepSchedules(flaky, 'queue', { mayWrite: async () => true, log, signal, askAgainMs: 0 })
  await until('they are listed', async () => (await ids()).includes('ama-backup'))
  // A build that is not promoted leaves them alone, and one that is asked to stop ends its tries.
  await keepSchedules(flaky, 'queue', { mayWrite: async () => false, log, signal, askAgainMs: 0 })
  const mayWrite = () => Promise.reject(new Error('nobody answers'))
  await keepSchedules(flaky, 'queue', { mayWrite, log, signal: AbortSignal.timeout(50), askAgainMs: 1 })
})
