/** Which open runs are replayed when there are too many of them. */
import { expect, test } from 'vitest'
import { chooseRuns, type RunToReplay } from '../../cli/deploy/runs-to-replay.ts'

const runs = (workflowType: string, count: number): RunToReplay[] =>
  Array.from({ length: count }, (_, index) => ({
    workflowId: `${workflowType}-${index}`,
    runId: '',
    workflowType,
    startedAt: count - index,
  }))

test('all open runs are chosen for the replay when there are few', () => {
  expect(chooseRuns([...runs('order', 3), ...runs('campaign', 1)], 3)).toHaveLength(4)
  expect(chooseRuns([], 3)).toEqual([])
})

test('many open runs of one type leave room for the few of another, and the oldest and the newest are chosen', () => {
  const chosen = chooseRuns([...runs('order', 1_000), ...runs('campaign', 2)], 5)
  expect(chosen.filter(({ workflowType }) => workflowType === 'campaign')).toHaveLength(2)
  const orders = chosen.filter(({ workflowType }) => workflowType === 'order').map(({ startedAt }) => startedAt)
  expect(orders).toEqual([1, 251, 501, 750, 1_000])
})

test('the oldest open run is chosen when the replay takes one of each type', () => {
  expect(chooseRuns(runs('order', 10), 1).map(({ startedAt }) => startedAt)).toEqual([1])
})
