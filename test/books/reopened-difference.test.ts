/** U2 and U6: a difference that is found again opens its task again, whatever an operator has noted about it before. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { closeOperatorTask } from '../../db/operator-tasks.ts'
import { insertReconciliation, raiseDifferences, recordDifferences } from '../../db/reconciliation/reconciliations.ts'
import { shareStack } from '../harness/harness.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context

const difference = {
  kind: 'refund_amount_differs',
  subjectId: 're_planted',
  part: '',
  subjectAt: new Date('2026-11-01T00:00:00Z'),
  explainedBy: null,
} as const

/** A night that finds the difference. @returns its task */
async function found(detail: string, at: Date) {
  const id = randomUUID()
  await insertReconciliation(sql, { id, at, readFrom: at })
  await recordDifferences(sql, id, [{ ...difference, detail }])
  await raiseDifferences(sql, id, at)
  const [task] = await sql<{ id: string; opened_at: Date }[]>`
    select * from attention where kind = ${difference.kind} and subject_id = ${difference.subjectId}`
  return task
}

test('the task of a difference that was closed with a note is opened again when the difference has changed', async () => {
  const task = await found('400 and not 500', new Date('2026-11-02T00:00:00Z'))
  const act = { id: task?.id ?? '', by: 'operator:ada', at: new Date('2026-11-02T09:00:00Z') }
  expect(await closeOperatorTask(sql, { ...act, note: 'Stripe was asked' })).toBe(true)
  const again = new Date('2026-11-03T00:00:00Z')
  expect(await found('300 and not 500', again)).toMatchObject({
    id: act.id,
    detail: '300 and not 500',
    opened_at: again,
    resolved_at: null,
    resolved_by: null,
    note: null,
    note_by: null,
    noted_at: null,
  })
})
