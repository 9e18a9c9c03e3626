/** An operator learns of a schedule that starts no runs, once, until it runs again or they have said that it is meant. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { checkSchedules, startWatch } from '../../api/evidence/watch.ts'
import type { Attention } from '../../db/connection/schema.ts'
import { reportSilentSchedules } from '../../db/operation/silent-schedules.ts'
import { plusDays } from '../../shared/calendar.ts'
import { createMetrics } from '../../shared/metrics.ts'
import { scheduleIds } from '../../worker/schedules.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack()
const { sql } = harness.context

const tasks = () => sql<Pick<Attention, 'subject_id' | 'detail' | 'resolved_by'>[]>`
  select subject_id, detail, resolved_by from attention where kind = 'schedule_silent' order by subject_id`

test('each schedule that is paused for days is an operator task, which its next run closes', async () => {
  const { temporal } = harness
  // The tests’ stack has paused them all.
  await checkSchedules({ sql, temporal }, plusDays(new Date(), 3))
  const raised = await tasks()
  expect(raised.map(({ subject_id }) => subject_id)).toEqual([...scheduleIds].sort())
  for (const { detail, resolved_by } of raised)
    expect([detail?.startsWith('paused, '), resolved_by]).toEqual([true, null])
  await checkSchedules({ sql, temporal }, new Date())
  expect((await tasks()).filter(({ resolved_by }) => resolved_by !== 'runs_again')).toEqual([])
})

test('a task that an operator has closed is opened again by another silence, and not by the same one', async () => {
  const silent = (lastRunAt: Date) => [{ id: 'ama-nightly', isPaused: true, lastRunAt }]
  const [first, second] = [new Date(0), new Date(86_400_000)]
  const state = async () => (await tasks()).find(({ subject_id }) => subject_id === 'ama-nightly')
  await reportSilentSchedules(sql, silent(first), first)
  expect(await state()).toMatchObject({
    detail: `paused, the last run began at ${first.toISOString()}`,
    resolved_by: null,
  })
  await sql`update attention set resolved_at = now(), resolved_by = 'operator:x' where subject_id = 'ama-nightly'`
  await reportSilentSchedules(sql, silent(first), first)
  expect(await state()).toMatchObject({ resolved_by: 'operator:x' })
  await reportSilentSchedules(sql, silent(second), second)
  expect(await state()).toMatchObject({ resolved_by: null })
  await reportSilentSchedules(sql, [], second)
  expect(await state()).toMatchObject({ resolved_by: 'runs_again' })
})

test('checks that nobody answers do not pile up: the end of the process waits for one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  let answer = (_found: []): void => {}
  const answered = new Promise<[]>((resolve) => {
    answer = resolve
  })
  let asked = 0
  const silent = {
    withDeadline() {
      asked += 1
      return answered
    },
  }
  const temporal = Object.assign(Object.create(null), silent)
  const stop = startWatch({ ...harness.context, metrics: createMetrics(), temporal })
  vi.advanceTimersByTime(600_000)
  answer([])
  await stop()
  // For wedged runs, and for schedules.
  expect(asked).toBe(2)
})
