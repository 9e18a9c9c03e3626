/** Live and in a replay a run gets its messages in one order: docs/decisions/0900-updates-come-after-signals.md. */
import type { ActivateInput } from '@temporalio/workflow'
import { expect, test } from 'vitest'
import { interceptors } from '../../workflows/run/interceptors.ts'

type Job = NonNullable<ActivateInput['activation']['jobs']>[number]

const start: Job = { initializeWorkflow: { workflowId: 'order' } }
const signal = (signalName: string): Job => ({ signalWorkflow: { signalName } })
const update = (name: string): Job => ({ doUpdate: { name } })
const answer: Job = { resolveActivity: { seq: 1 } }

/** The jobs of an activation, as the run gets them. */
function handed(jobs: Job[]): Job[] {
  const got: Job[] = []
  const last = ({ activation }: ActivateInput): void => void got.push(...(activation.jobs ?? []))
  const first = (interceptors().internals ?? []).reduceRight<(input: ActivateInput) => void>(
    (next, { activate }) =>
      (input) =>
        activate ? activate(input, next) : next(input),
    last,
  )
  first({ activation: { jobs }, batchIndex: 0 })
  return got
}

const [paid, installed, returned, resent] = [signal('payment'), signal('provider'), update('refund'), update('resend')]

test.each<[string, Job[], Job[]]>([
  [
    'updates among signals, after a reset',
    [returned, paid, resent, installed, answer],
    [paid, installed, returned, resent, answer],
  ],
  ['the start of a run', [start, returned, paid], [start, paid, returned]],
  ['signals before updates', [paid, installed, returned, resent, answer], [paid, installed, returned, resent, answer]],
  ['updates alone', [returned, resent, answer], [returned, resent, answer]],
  ['answers alone', [answer], [answer]],
  ['nothing', [], []],
])('a run gets its updates after its signals: %s', (_what, jobs, expected) => {
  expect(handed(jobs)).toEqual(expected)
})
