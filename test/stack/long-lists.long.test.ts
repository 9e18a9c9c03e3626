/** The embedded server lists as many runs as years of orders leave. */
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client'
import pMap from 'p-map'
import { afterAll, expect, test } from 'vitest'
import { searchAttributeTypes } from '../../dev/temporal/search-attribute-types.ts'
import { startTemporal } from '../../dev/temporal/temporal.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { until } from '../harness/until.ts'

const server = await startTemporal({ namespace: 'default', searchAttributes: searchAttributeTypes })
// A refused list is not asked for again: each attempt would be refused as the first.
const connection = await Connection.connect({
  address: server.address,
  interceptors: [makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 1 }))],
})
const client = new Client({ connection })
afterAll(async () => {
  await connection.close()
  await server.stop()
})

const runs = 9_000

test('9,000 runs with a search attribute are listed at once', { timeout: 180_000 }, async () => {
  await pMap(
    Array.from({ length: runs }, (_, index) => index),
    (index) =>
      client.workflow.start('order', {
        workflowId: `order/${index}`,
        taskQueue: 'of-nobody',
        typedSearchAttributes: [{ key: searchAttributes.stage, value: 'delivered' }],
      }),
    { concurrency: 200 },
  )
  await until('all are counted', async () => (await client.workflow.count("WorkflowType = 'order'")).count === runs)
  let listed = 0
  for await (const { typedSearchAttributes } of client.workflow.list({ query: "WorkflowType = 'order'" }))
    if (typedSearchAttributes.get(searchAttributes.stage) === 'delivered') listed += 1
  expect(listed).toBe(runs)
})
