/** The OpenAPI document that the API serves, as far as tests read it. */
import { z } from 'zod'
import { serviceScopes } from '../../../policy/access/service-scopes.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import type { Caller } from '../http.ts'

export interface JsonSchema {
  $ref?: string | undefined
  description?: string | undefined
  type?: string | string[] | undefined
  format?: string | undefined
  pattern?: string | undefined
  enum?: unknown[] | undefined
  const?: unknown
  properties?: Record<string, JsonSchema> | undefined
  required?: string[] | undefined
  items?: JsonSchema | undefined
  anyOf?: JsonSchema[] | undefined
  oneOf?: JsonSchema[] | undefined
  allOf?: JsonSchema[] | undefined
  minItems?: number | undefined
  minLength?: number | undefined
  minimum?: number | undefined
  'x-enum-descriptions'?: string[] | undefined
}

export const jsonSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.looseObject({
    $ref: z.string().optional(),
    description: z.string().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    pattern: z.string().optional(),
    enum: z.array(z.unknown()).optional(),
    const: z.unknown().optional(),
    properties: z.record(z.string(), jsonSchema).optional(),
    required: z.array(z.string()).optional(),
    items: jsonSchema.optional(),
    anyOf: z.array(jsonSchema).optional(),
    oneOf: z.array(jsonSchema).optional(),
    allOf: z.array(jsonSchema).optional(),
    minItems: z.number().optional(),
    minLength: z.number().optional(),
    minimum: z.number().optional(),
    'x-enum-descriptions': z.array(z.string()).optional(),
  }),
)

const content = z.record(z.string(), z.looseObject({ schema: jsonSchema }))

const operation = z.looseObject({
  'x-callers': z.array(z.string()),
  'x-scope': z.enum(keysOf(serviceScopes)).nullish(),
  'x-reads': z.unknown().optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.enum(['path', 'query', 'header']),
        required: z.boolean().optional(),
        schema: jsonSchema,
      }),
    )
    .optional(),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).optional() })),
})

const document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), jsonSchema) }),
})

export type DescribedOperation = z.output<typeof operation>
export type Described = z.output<typeof document>

export const readDescribed = async ({ get }: Pick<Caller, 'get'>): Promise<Described> =>
  document.parse((await get('/openapi.json')).body)
