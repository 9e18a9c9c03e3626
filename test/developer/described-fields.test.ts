/** Whoever builds an app from the OpenAPI document alone knows what the fields of an order and its eSIMs mean. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { performanceConsents } from '../../policy/withdrawal.ts'

const document = z.object({
  components: z.object({
    schemas: z.record(
      z.string(),
      z.object({
        enum: z.array(z.string()).optional(),
        'x-enum-descriptions': z.array(z.string()).optional(),
        properties: z
          .record(z.string(), z.looseObject({ description: z.string().optional(), $ref: z.string().optional() }))
          .optional(),
      }),
    ),
  }),
})

/** Their names say it, or the schema that they name does. */
const plain =
  /^(?:id|accountId|orderId|packageCode|status|state|reason|kind|\w+At|matchingId|documents|refunds|dispute|performanceConsent|amount)$/

const schemas = async () =>
  document.parse(JSON.parse(await readFile(new URL('../../client/openapi.json', import.meta.url), 'utf8'))).components
    .schemas

test.each(['Order', 'OrderSummary', 'Esim', 'AccountEsim'])('each field of %s is described', async (name) => {
  const { properties = {} } = (await schemas())[name] ?? {}
  expect(Object.keys(properties).length).toBeGreaterThan(10)
  const missing = Object.entries(properties).flatMap(([field, { description, $ref }]) =>
    description === undefined && $ref === undefined && !plain.test(field) ? [field] : [],
  )
  expect(missing).toEqual([])
})

test('an app finds the text of the consent that it has to show, in each language', async () => {
  const { PerformanceConsentVersion: versions } = await schemas()
  expect(versions?.enum).toEqual(Object.keys(performanceConsents))
  expect(versions?.['x-enum-descriptions']).toEqual(Object.values(performanceConsents))
})
