import { type DestinationStream, type Logger, pino } from 'pino'
import { propertyOf, textPropertyOf } from './keys-of.ts'

export type Log = Logger

/** A safeguard, because no code should log these. Redacted on two levels only: each level makes every line slower. */
const neverLogged = [
  'authorization',
  'cookie',
  'email',
  'firstName',
  'lastName',
  'phone',
  'ip',
  'deviceId',
  'pushToken',
  'identityToken',
  'authorizationCode',
  'refreshToken',
  'idToken',
  'token',
  'secret',
  'clientSecret',
  'password',
  'activationCode',
  'iccid',
  'body',
  'query',
  'parameters',
]

/**
 * JSON lines on standard output, or on `destination`.
 * @param settings.level a pino level, or `silent`
 */
export function createLog(settings: { level: string }, destination?: DestinationStream): Log {
  const options = {
    level: settings.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: neverLogged.flatMap((name) => [name, `*.${name}`]),
      censor: '[redacted]',
    },
    serializers: { err: describeError, error: describeError },
  }
  return destination ? pino(options, destination) : pino(options)
}

/** Errors whose messages quote the data that was refused. */
const quotesData = new Set(['PostgresError', 'SyntaxError', 'ZodError'])

/**
 * Temporal's messages hold workflow ids with ids of orders and accounts, which logs must not keep longer than these
 * live.
 */
const anyId = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

interface ErrorDescription {
  type: string
  message?: string
  /** the failure type of shared/failures.ts, or the kind of a provider's failure */
  failure?: string
  code?: string
  constraint?: string
  stack?: string
  cause?: ErrorDescription
}

/** Describes an error without the properties that libraries add, which hold queries, parameters and bodies. */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error }
  const code = propertyOf(error, 'code') ?? codeOfFailure(error)
  const constraint = propertyOf(error, 'constraint_name')
  return {
    type: error.name,
    ...(!quotesData.has(error.name) && { message: error.message.replaceAll(anyId, '[id]') }),
    ...failureOf(error),
    ...((typeof code === 'string' || typeof code === 'number') && { code: String(code) }),
    ...(typeof constraint === 'string' && { constraint }),
    ...(error.stack !== undefined && { stack: framesOf(error.stack) }),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
  }
}

/** Temporal's ApplicationFailure holds the type and, as its first detail, the code; our ProviderFailure its kind. */
function failureOf(error: Error): { failure?: string } {
  const field = fieldOfFailure[error.name]
  const failure = field && textPropertyOf(error, field)
  return failure ? { failure } : {}
}

const fieldOfFailure: Readonly<Record<string, string>> = { ApplicationFailure: 'type', ProviderFailure: 'kind' }

const codeForm = /^[\w.-]{1,64}$/

function codeOfFailure(error: Error): string | undefined {
  const details = propertyOf(error, 'details')
  const first: unknown = error.name === 'ApplicationFailure' && Array.isArray(details) ? details[0] : undefined
  return typeof first === 'string' && codeForm.test(first) ? first : undefined
}

/** The lines of a stack that name files: its first lines repeat the message. */
export function framesOf(stack: string): string {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')
}
