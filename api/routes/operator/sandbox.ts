import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { milliseconds } from '../../../policy/periods.ts'
import { isNotFound } from '../../../temporal/grpc-status.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { enumeration } from '../../views/enumeration.ts'

const longest = 11 * 366 * milliseconds.day

const clockOutcome = enumeration('ClockOutcome', 'How far the clock has come', {
  reached: 'To the time that was asked for',
  ended: 'The run has ended before',
  'skip-limit': 'The run has skipped as often as it may in one go: ask again',
  replaced: 'Another request to move this clock came meanwhile',
})
const forward = z
  .strictObject({
    workflowId: z.string().min(1).max(200).describe('the run whose clock moves, for example `order-<id>`'),
    forwardMs: z.int().min(1).max(longest).describe('milliseconds, eleven years at most'),
  })
  .meta({ id: 'ClockForward' })

/** Routes of the sandbox. Elsewhere they do not exist, since the time of a real customer must not be skipped. */
export function sandboxRoutes(api: ApiContext): Route[] {
  if (!api.config.SANDBOX) return []
  return [
    defineRoute({
      method: 'post',
      path: '/v1/sandbox/clock',
      tag: 'sandbox',
      summary: "Move one run's clock forward",
      description:
        'Timers fire and activities are retried in order, at their times. The outside parties keep their clocks.',
      callers: ['operator'],
      unrecorded: 'moves the clock of a run in a sandbox, where nobody is a customer',
      body: forward,
      responses: {
        200: {
          description: 'The time that the clock reached',
          schema: z.object({
            outcome: clockOutcome.schema,
            now: z.iso.datetime().describe("the run's own time"),
          }),
        },
      },
      problems: ['not_found'],
      async handle({ body }) {
        const { outcome, now } = await moved(body)
        return { status: 200, body: { outcome, now: now.toISOString() } }
      },
    }),
  ]

  async function moved({ workflowId, forwardMs }: z.output<typeof forward>) {
    try {
      return await fastForward(api.temporal, workflowId, forwardMs, { timeoutMs: 25_000 })
    } catch (error) {
      if (isNotFound(error)) throw new Problem('not_found')
      throw error
    }
  }
}
