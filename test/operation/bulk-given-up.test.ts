/**
 * A worker that is too busy to heartbeat in time counts as dead: what it was doing for a bulk action is another
 * attempt's by then.
 */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createBulkActivities } from '../../activities/order/bulk-action.ts'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'

const harness = await shareStack()
const { sql } = harness.context

test('U2: an attempt that Temporal has given up begins no more orders of a bulk action', async () => {
  await harness.buy(await harness.signUp())
  const selection = { statuses: ['delivered'] }
  const body = { act: 'apologise', selection, reason: 'the delivery took a day' }
  const { id } = expectStatus(await harness.operator.post('/v1/bulk-actions', body), 201)
  await sql`update bulk_actions set state = 'running', started_by = 'somebody', started_at = now() where id = ${id}`
  const { actOnOrders } = createBulkActivities({ ...harness.context, temporal: harness.temporal })
  const input = { bulkActionId: id, asOf: new Date().toISOString() }
  const stateOfAct = async () =>
    (await sql<OperatorActs[]>`select * from operator_acts where bulk_action_id = ${id}`).map(({ state }) => state)

  const givenUp = new MockActivityEnvironment()
  givenUp.cancel()
  expect(await givenUp.run(actOnOrders, input)).toEqual({ ended: 0, left: 1 })
  expect(await stateOfAct()).toEqual(['planned'])

  expect(await new MockActivityEnvironment().run(actOnOrders, input)).toEqual({ ended: 1, left: 0 })
  expect(await stateOfAct()).toEqual(['done'])
})
