/** The evidence in the form of `GET /v1/promises`, which the transparency log keeps of each night. */
import { z } from 'zod'
import { type Figure, figures } from '../../policy/figures.ts'
import { promises } from '../../policy/promises.ts'
import { enumeration } from '../views/enumeration.ts'
import type { Evidence } from './evidence.ts'

const promiseStatus = enumeration('PromiseStatus', 'Whether a promise is kept, by its figures', {
  kept: 'Every figure is within its limit',
  broken: 'A figure is above its limit',
  unknown: 'A figure could not be read, which is not taken for kept',
})
const time = z.iso.datetime()

export const evidenceSchema = z
  .object({
    readAt: time.describe('the time by which the figures were read'),
    kept: z.int(),
    broken: z.array(z.string()),
    unknown: z.array(z.string()),
    promises: z.array(
      z.object({
        id: z.string(),
        sentence: z.string(),
        status: promiseStatus.schema,
        keptBy: z.string().describe('the file that keeps it'),
        provenBy: z.object({ file: z.string(), title: z.string() }).describe('the test that proves it'),
        figures: z.array(
          z.object({
            name: z.string(),
            meaning: z.string(),
            unit: z.string(),
            value: z.number().nullable(),
            brokenAbove: z.number().nullable().describe('null for a figure that only informs'),
            status: promiseStatus.schema,
            detail: z.string().nullable(),
            readAt: time,
          }),
        ),
      }),
    ),
  })
  .meta({ id: 'Evidence' })

export type EvidenceView = z.input<typeof evidenceSchema>

/** The evidence as GET /v1/promises answers it. */
export function viewEvidence({ readAt, promises: evaluated }: Evidence): EvidenceView {
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
