/** Outages and wedged runs: outside parties that do not answer, and runs whose workflow task fails. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountsNamedIn } from '../../../db/access/named-accounts.ts'
import { listOutages } from '../../../db/operation/outside-parties.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { listWedgedRuns } from '../../runs/wedged-runs.ts'

const shownAtMost = 200
const answerWithinMs = 3_000

const outages = z
  .object({
    items: z.array(
      z.object({
        party: z.string(),
        since: z.iso.datetime().describe('the first call that failed'),
        code: z.string().describe('how the newest call failed'),
        ordersWaiting: z
          .int()
          .nonnegative()
          .nullable()
          .describe('orders that cannot go on without it; null for a party that no order waits for'),
      }),
    ),
  })
  .meta({ id: 'Outages' })

const wedgedRuns = z
  .object({
    items: z.array(
      z.object({
        type: z.string(),
        workflowId: z.string(),
        runId: z.string(),
        startedAt: z.iso.datetime(),
        problem: z.string().describe("Temporal's words"),
      }),
    ),
  })
  .meta({ id: 'WedgedRuns' })

export function outageRoutes({ sql, temporal }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/outages',
      tag: 'operation',
      summary: 'The outside parties that do not answer',
      description: 'Calls have failed for five minutes with no answer between. An outage also is an operator task.',
      callers: ['operator'],
      responses: { 200: { description: 'The outages, the oldest first', schema: outages } },
      async handle() {
        const items = (await listOutages(sql)).map(({ since, ...outage }) => ({
          ...outage,
          since: since.toISOString(),
        }))
        return { status: 200, body: { items } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/wedged-runs',
      tag: 'operation',
      summary: 'The runs whose workflow task fails again and again',
      callers: ['operator'],
      reads: ['orders'],
      responses: { 200: { description: `The newest ${shownAtMost} of them`, schema: wedgedRuns } },
      async handle() {
        const runs = await listWedgedRuns(temporal, { limit: shownAtMost, answerWithinMs })
        const items = runs.map(({ startedAt, ...run }) => ({ ...run, startedAt: startedAt.toISOString() }))
        return { status: 200, about: await accountsNamedIn(sql, JSON.stringify(items)), body: { items } }
      },
    }),
  ]
}
