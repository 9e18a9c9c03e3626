/** Scenarios of the retries of an endpoint. */
import { randomUUID } from 'node:crypto'
import { eventRetriesWorkflowId } from '../../../workflows/events/event-retries.contract.ts'
import { startReceiver } from '../../events/receiver.ts'
import { expectStatus } from '../../harness/http.ts'
import type { Product } from '../../harness/product.ts'
import { until } from '../../harness/until.ts'
import { runSteps, type Scenario } from '../scenario.ts'

/** An endpoint on a port where nobody listens, which has not taken an event. @returns the endpoint's id */
async function untaken({ service, context: { sql } }: Product): Promise<string> {
  const wanted = { url: 'http://127.0.0.1:9/', types: ['policy.moved'] }
  const { id } = expectStatus(await service.post('/v1/webhook-endpoints', wanted), 201)
  await sql`insert into events (type, data) values ('policy.moved', ${sql.json({ version: randomUUID() })})`
  await until('a run looks after it', async () => {
    const { waiting } = expectStatus(await service.get(`/v1/webhook-endpoints/${id}`), 200)
    return waiting === 1
  })
  return id
}

export const eventRetries: Record<string, Scenario> = {
  'event-retries-until-it-is-taken': async (product) => {
    const { forward, untilIt, untilClosed } = runSteps(product)
    const id = await untaken(product)
    const workflowId = await untilIt(eventRetriesWorkflowId(id), 'failing')
    await forward(workflowId, '1 hour')
    const receiver = await startReceiver()
    expectStatus(await product.service.patch(`/v1/webhook-endpoints/${id}`, { url: receiver.url }), 200)
    await untilClosed(workflowId)
    await receiver.stop()
    return workflowId
  },
  'event-retries-given-up': async (product) => {
    const { forward, untilIt, untilClosed } = runSteps(product)
    const workflowId = await untilIt(eventRetriesWorkflowId(await untaken(product)), 'failing')
    return untilClosed(await forward(workflowId, '80 hours'))
  },
  'event-retries-waits-for-the-endpoint': async (product) => {
    const { forward, untilIt } = runSteps(product)
    return forward(await untilIt(eventRetriesWorkflowId(await untaken(product)), 'failing'), '1 hour')
  },
}
