import type { Response } from 'express'
import { z } from 'zod'
import type { Language } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { keysOf, tableOf } from '../../shared/keys-of.ts'
import { setContentLanguage } from '../language/request-language.ts'
import { enumeration } from '../views/enumeration.ts'
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

/** An error that is answered as RFC 9457 problem+json, or as a page. It may be thrown anywhere in a request. */
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

/** @returns what was looked for. @throws Problem not_found when there is none */
export function orNotFound<Found extends object>(found: Found | undefined): Found {
  if (!found) throw new Problem('not_found')
  return found
}

/** Whether a problem passes by itself, so that its answer says when to repeat the request. */
export const passes = (code: ProblemCode): boolean =>
  [429, 503].includes(problems[code].status) || code === 'request_in_progress'

const retryAfter = 'Retry-After'

/** The headers of a problem. One that passes says when to repeat the request, whoever has thrown it. */
export function headersOf({ code, options }: Problem, response: Response): Record<string, string> {
  const isSaid = response.get(retryAfter) !== undefined
  return { ...(passes(code) && !isSaid && { [retryAfter]: '5' }), ...options.headers }
}

const problemCode = enumeration(
  'ProblemCode',
  'The last part of the type: what to decide by. Later versions may add codes',
  tableOf(keysOf(problems), (code) => problems[code].meaning),
)

export const problemSchema = z
  .object({
    type: z.url().describe('leads to the meaning of the problem'),
    title: z.string().describe('for people, in the language of `Accept-Language`'),
    status: z.int(),
    code: problemCode.schema,
    detail: z.string().optional(),
    requestId: z.string().describe('give it when you ask about this answer'),
    errors: z
      .array(z.object({ field: z.string(), reason: z.string() }))
      .optional()
      .describe('what is wrong, field by field'),
  })
  .meta({ id: 'Problem' })

/**
 * Answers a problem. Its title is for people; `type` and `code` are the same in every language.
 * @param context.publicUrl the address below which problem types are described
 */
export function sendProblem(
  response: Response,
  problem: Problem,
  context: { publicUrl: string; requestId: string; language: Language },
) {
  const { status } = problems[problem.code]
  const { detail, errors } = problem.options
  const body: z.input<typeof problemSchema> = {
    type: new URL(`/problems/${problem.code}`, context.publicUrl).href,
    title: textsOf(context.language).t(`problem.${problem.code}`),
    status,
    code: problem.code,
    ...(detail !== undefined && { detail }),
    requestId: context.requestId,
    ...(errors && { errors }),
  }
  setContentLanguage(response, context.language, ['Accept-Language'])
  response
    .status(status)
    .set({ 'Cache-Control': 'no-store', ...headersOf(problem, response) })
    .type('application/problem+json')
    .send(JSON.stringify(body))
}

/** Field names come from the caller and go back to the caller: a hostile body must not make the answer as large. */
const longestName = 100
const mostErrors = 50

/**
 * The faults that zod found, without the values, which may be personal.
 * @param place the name of the whole, for faults of no single field: `body`, `query`
 */
export function fieldErrors(error: z.ZodError, place: string): FieldError[] {
  return error.issues
    .flatMap((issue): FieldError[] => {
      const path = issue.path.map(String)
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({ field: [...path, key].join('.'), reason: 'unknown field' }))
      }
      return [{ field: path.join('.') || place, reason: issue.message }]
    })
    .slice(0, mostErrors)
    .map(({ field, reason }) => ({ field: field.slice(0, longestName), reason }))
}
