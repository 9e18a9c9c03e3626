import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { type Figure, figures } from '../../policy/figures.ts'
import { promises } from '../../policy/promises.ts'
import type { Evidence, EvidenceReader } from '../evidence/evidence.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'

const status = z.enum(['kept', 'broken', 'unknown']).describe('what could not be read is unknown, and not kept')
const time = z.iso.datetime()

const evidence = z
  .object({
    readAt: time.describe('the time by which the figures were read'),
    kept: z.int(),
    broken: z.array(z.string()),
    unknown: z.array(z.string()),
    promises: z.array(
      z.object({
        id: z.string(),
        sentence: z.string(),
        status,
        keptBy: z.string().describe('the file that keeps it'),
        provenBy: z.object({ file: z.string(), title: z.string() }).describe('the test that proves it'),
        figures: z.array(
          z.object({
            name: z.string(),
            meaning: z.string(),
            unit: z.string(),
            value: z.number().nullable(),
            brokenAbove: z.number().nullable().describe('null for a figure that only informs'),
            status,
            detail: z.string().nullable(),
            readAt: time,
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Evidence' })

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
        asOf: time.optional().describe('sandbox only: reads the figures by this time instead of now'),
      }),
      responses: { 200: { description: 'The evidence', schema: evidence } },
      async handle({ query: { asOf } }) {
        if (asOf !== undefined && !config.SANDBOX) {
          throw new Problem('invalid_request', { errors: [{ field: 'asOf', reason: 'is for the sandbox' }] })
        }
        const read = asOf === undefined ? await reader.latest() : await reader.asOf(new Date(asOf))
        return { status: 200, body: view(read) }
      },
    }),
  ]
}

function view({ readAt, promises: evaluated }: Evidence): z.input<typeof evidence> {
  const idsOf = (wanted: string) => evaluated.filter(({ status }) => status === wanted).map(({ id }) => id)
  return {
    readAt: readAt.toISOString(),
    kept: idsOf('kept').length,
    broken: idsOf('broken'),
    unknown: idsOf('unknown'),
    promises: evaluated.map(({ id, status, figures: its }) => {
      const { sentence, keptBy, provenBy } = promises[id]
      return {
        id,
        sentence,
        status,
        keptBy,
        provenBy,
        figures: its.map(({ name, value, detail, status, readAt }) => {
          const { meaning, unit, brokenAbove }: Figure = figures[name]
          return {
            name,
            meaning,
            unit,
            value,
            brokenAbove: brokenAbove ?? null,
            status,
            detail: detail ?? null,
            readAt: readAt.toISOString(),
          }
        }),
      }
    }),
  }
}
