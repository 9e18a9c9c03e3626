import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import type { EvidenceReader } from '../evidence/evidence.ts'
import { evidenceSchema, viewEvidence } from '../evidence/evidence-view.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'

export function promiseRoutes({ config }: ApiContext, reader: EvidenceReader): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/promises',
      tag: 'evidence',
      summary: 'Every promise of the privacy policy, and whether it is kept now',
      description: 'The figures come from the live system and are at most 15 seconds old.',
      callers: ['operator', 'service'],
      query: z.strictObject({
        asOf: z.iso.datetime().optional().describe('sandbox only: reads the figures by this time instead of now'),
      }),
      responses: { 200: { description: 'The evidence', schema: evidenceSchema } },
      async handle({ query: { asOf } }) {
        if (asOf !== undefined && !config.SANDBOX) {
          throw new Problem('invalid_request', { errors: [{ field: 'asOf', reason: 'is for the sandbox' }] })
        }
        const read = asOf === undefined ? await reader.latest() : await reader.asOf(new Date(asOf))
        return { status: 200, body: viewEvidence(read) }
      },
    }),
  ]
}
