/**
 * A simulator of the GA4 Measurement Protocol for one app stream. `/mp/collect` answers 204 to everything, as Google
 * does, and keeps only valid events. `/debug/mp/collect` returns the faults and keeps nothing. Source:
 * developers.google.com/analytics/devguides/collection/protocol/ga4/validating-events
 *
 * State: events, violations (events that are invalid or hold more than the least data). Action: `clock`
 * {advanceSeconds}.
 */
import type { Request } from 'express'
import { fieldsIn } from './fields.ts'
import { type RunningSimulator, rawBody, startSimulator } from './simulator.ts'

const oldestEventSeconds = 72 * 3600

type Fields = Record<string, unknown>

interface ValidationMessage {
  fieldPath: string
  description: string
  validationCode: 'VALUE_INVALID' | 'VALUE_REQUIRED' | 'NAME_INVALID' | 'EXCEEDED_MAX_ENTITIES'
}

/** Events as they came, since tests look for what must not be in them. */
export interface GoogleAnalyticsState {
  events: Fields[]
  violations: string[]
}

export async function startGoogleAnalytics(options: {
  port?: number
  firebaseAppId: string
  apiSecret: string
}): Promise<RunningSimulator<GoogleAnalyticsState>> {
  let advancedSeconds = 0
  let events: Fields[] = []
  let violations: string[] = []
  const nowMs = (): number => Date.now() + advancedSeconds * 1000

  function collect(request: Request): void {
    const body = parse(rawBody(request))
    const keysAreRight =
      request.query.firebase_app_id === options.firebaseAppId && request.query.api_secret === options.apiSecret
    const messages = validate(body)
    if (!keysAreRight) violations.push('wrong firebase_app_id or api_secret')
    violations.push(...messages.map(({ fieldPath, description }) => `${fieldPath}: ${description}`))
    const tooOld = nowMs() - Number(body?.timestamp_micros ?? nowMs() * 1000) / 1000 > oldestEventSeconds * 1000
    if (tooOld) violations.push('timestamp_micros: older than 72 hours')
    if (!body || !keysAreRight || messages.length > 0 || tooOld) return
    const { app_instance_id, consent, timestamp_micros } = body
    for (const event of list(body.events)) events.push({ app_instance_id, consent, timestamp_micros, ...event })
  }

  return startSimulator(
    {
      name: 'google-analytics',
      refusal: ({ status = 400 }) => ({ status, body: '' }),
      routes: (router) => {
        router.post('/mp/collect', (request, response) => {
          collect(request)
          response.status(204).end()
        })
        // Google documents that this endpoint does not check the keys.
        router.post('/debug/mp/collect', (request, response) => {
          response.json({ validationMessages: validate(parse(rawBody(request))) })
        })
      },
      state: () => ({ events, violations }),
      reset: () => {
        advancedSeconds = 0
        events = []
        violations = []
      },
      actions: {
        clock: ({ advanceSeconds }) => {
          advancedSeconds += Number(advanceSeconds)
          return { now: Math.floor(nowMs() / 1000) }
        },
      },
    },
    options.port,
  )
}

function validate(body: Fields | undefined): ValidationMessage[] {
  if (!body) return [{ fieldPath: '', description: 'not a JSON object', validationCode: 'VALUE_INVALID' }]
  const messages: ValidationMessage[] = []
  const add = (fieldPath: string, description: string, validationCode: ValidationMessage['validationCode']): void => {
    messages.push({ fieldPath, description, validationCode })
  }
  const only = (fieldPath: string, value: unknown, allowed: string[]): void => {
    const foreign = Object.keys(fields(value)).filter((name) => !allowed.includes(name))
    for (const name of foreign) add(`${fieldPath}${name}`, 'is not least data', 'VALUE_INVALID')
  }

  only('', body, ['app_instance_id', 'timestamp_micros', 'consent', 'events'])
  only('consent.', body.consent, ['ad_user_data', 'ad_personalization'])
  if (typeof body.app_instance_id !== 'string' || !body.app_instance_id) {
    add('app_instance_id', 'is required', 'VALUE_REQUIRED')
  }
  if (Object.values(fields(body.consent)).some((value) => value !== 'GRANTED' && value !== 'DENIED')) {
    add('consent', 'is GRANTED or DENIED', 'VALUE_INVALID')
  }
  const events = list(body.events)
  if (events.length === 0) add('events', 'is required', 'VALUE_REQUIRED')
  if (events.length > 25) add('events', 'holds at most 25', 'EXCEEDED_MAX_ENTITIES')
  for (const event of events) {
    only('events.', event, ['name', 'params'])
    if (typeof event.name !== 'string' || !/^[A-Za-z]\w{0,39}$/.test(event.name)) {
      add('events', 'has an invalid name', 'NAME_INVALID')
    }
    const { transaction_id: id, currency, value } = fields(event.params)
    only('events.params.', event.params, ['transaction_id', 'currency', 'value'])
    if (typeof id !== 'string') add('events.params.transaction_id', 'is required', 'VALUE_REQUIRED')
    if (typeof value !== 'number') add('events.params.value', 'is required', 'VALUE_REQUIRED')
    if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) {
      add('events.params.currency', 'is required with a value', 'VALUE_REQUIRED')
    }
  }
  return messages
}

function parse(body: string): Fields | undefined {
  try {
    return fieldsIn(JSON.parse(body))
  } catch {
    return undefined
  }
}

const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : [])
const fields = (value: unknown): Fields => fieldsIn(value) ?? {}
