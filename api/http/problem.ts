import type { Response } from 'express'
import { z } from 'zod'
import { type ProblemCode, problems } from './problems.ts'

export interface FieldError {
  /** path of the field in the body, or the name of the parameter or header */
  field: string
  reason: string
}

interface ProblemOptions {
  /** one sentence about this occurrence; no personal data */
  detail?: string | undefined
  errors?: FieldError[] | undefined
  headers?: Record<string, string> | undefined
  cause?: unknown
}

/** Thrown anywhere in a request, answered as RFC 9457 problem+json. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly options: ProblemOptions

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    super(options.detail ?? problems[code].title, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.options = options
  }
}

export const problemSchema = z
  .object({
    type: z.url().describe('leads to the meaning of the problem'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('the last part of the type: what to decide by'),
    detail: z.string().optional(),
    requestId: z.string().describe('give it when you ask about this answer'),
    errors: z
      .array(z.object({ field: z.string(), reason: z.string() }))
      .optional()
      .describe('what is wrong, field by field'),
  })
  .meta({ id: 'Problem' })

/** @param publicUrl where problem types are described */
export function sendProblem(response: Response, problem: Problem, context: { publicUrl: string; requestId: string }) {
  const { status, title } = problems[problem.code]
  const { detail, errors, headers } = problem.options
  const body: z.input<typeof problemSchema> = {
    type: new URL(`/problems/${problem.code}`, context.publicUrl).href,
    title,
    status,
    code: problem.code,
    ...(detail !== undefined && { detail }),
    requestId: context.requestId,
    ...(errors && { errors }),
  }
  response
    .status(status)
    .set({ 'Cache-Control': 'no-store', ...headers })
    .type('application/problem+json')
    .send(JSON.stringify(body))
}

/** A name sent by the caller goes back to them, but not at any length. */
const longestName = 100
const mostErrors = 50

/** What zod found, without the values. @param place names the fault when the whole is wrong: `body`, `query` */
export function fieldErrors(error: z.ZodError, place: string): FieldError[] {
  return error.issues
    .flatMap((issue): FieldError[] => {
      const path = issue.path.map(String)
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({ field: [...path, key].join('.'), reason: 'unknown field' }))
      }
      const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
      return [{ field: path.join('.') || place, reason: missing ? 'missing' : issue.message }]
    })
    .slice(0, mostErrors)
    .map(({ field, reason }) => ({ field: field.slice(0, longestName), reason }))
}
