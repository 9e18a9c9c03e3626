/**
 * A simulator of Meta's Conversions API for one dataset: it accepts purchases with the least data, and refuses and
 * records everything else.
 *
 * State: events (each once), duplicates, violations. Action: `clock` {advanceSeconds}.
 */
import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import { fieldsIn } from './fields.ts'
import { type RunningSimulator, rawBody, startSimulator } from './simulator.ts'

const day = 86_400
const oldestEventSeconds = 7 * day
const deduplicationSeconds = 2 * day

/** The fields that our events may have; Meta's own list is longer. */
const leastData: Record<string, string[]> = {
  event: [
    'event_name',
    'event_time',
    'event_id',
    'action_source',
    'user_data',
    'custom_data',
    'data_processing_options',
    'data_processing_options_country',
    'data_processing_options_state',
    'opt_out',
  ],
  user_data: ['external_id'],
  custom_data: ['currency', 'value'],
}

type Fields = Record<string, unknown>

/** A refusal with Graph's error object: developers.facebook.com/docs/graph-api/guides/error-handling */
class GraphError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Events as they came, since tests look for what must not be in them. */
export interface MetaState {
  events: Fields[]
  duplicates: Fields[]
  violations: string[]
}

export async function startMeta(options: {
  port?: number
  datasetId: string
  accessToken: string
}): Promise<RunningSimulator<MetaState>> {
  let advancedSeconds = 0
  let events: Fields[] = []
  let duplicates: Fields[] = []
  let violations: string[] = []
  const seenAt = new Map<string, number>()
  const now = (): number => Math.floor(Date.now() / 1000) + advancedSeconds

  /** Receives all events of a request or none: one bad event refuses the whole request. */
  function receive(request: Request): number {
    const body = parse(rawBody(request))
    if (request.query.access_token !== undefined) violations.push('access_token in the URL')
    if ((body.access_token ?? request.query.access_token) !== options.accessToken) {
      throw new GraphError(190, 'Invalid OAuth access token.')
    }
    if (request.params.dataset !== options.datasetId) throw new GraphError(100, 'Unsupported post request.')
    const data = Array.isArray(body.data) ? body.data.map(fields) : []
    if (data.length === 0 || data.length > 1000) throw new GraphError(100, 'data holds 1 to 1000 events')
    for (const event of data) {
      const found = [...foreignFields(event), ...(badEvent(event) ?? [])]
      violations.push(...found)
      if (found.length > 0) throw new GraphError(100, found.join('; '))
      if (now() - Number(event.event_time) > oldestEventSeconds) throw new GraphError(100, 'event_time is too old')
    }
    for (const event of data) keep(event)
    return data.length
  }

  function keep(event: Fields): void {
    const id = `${event.event_name} ${event.event_id}`
    const before = seenAt.get(id)
    if (before !== undefined && now() - before <= deduplicationSeconds) {
      duplicates.push(event)
      return
    }
    seenAt.set(id, now())
    events.push(event)
  }

  return startSimulator(
    {
      name: 'meta',
      refusal: ({ code, status = 400 }) => ({
        status,
        body: { error: { message: 'Refused by the simulator', type: 'OAuthException', code: Number(code) } },
      }),
      routes: (router) => {
        router.post('/:version/:dataset/events', (request: Request, response: Response) => {
          const fbtrace_id = randomBytes(8).toString('hex')
          try {
            response.json({ events_received: receive(request), messages: [], fbtrace_id })
          } catch (error) {
            if (!(error instanceof GraphError)) throw error
            const { message, code } = error
            const type = code === 190 ? 'OAuthException' : 'GraphMethodException'
            response.status(400).json({ error: { message, type, code, is_transient: false, fbtrace_id } })
          }
        })
      },
      state: () => ({ events, duplicates, violations }),
      reset: () => {
        advancedSeconds = 0
        events = []
        duplicates = []
        violations = []
        seenAt.clear()
      },
      actions: {
        clock: ({ advanceSeconds }) => {
          advancedSeconds += Number(advanceSeconds)
          return { now: now() }
        },
      },
    },
    options.port,
  )
}

function parse(body: string): Fields {
  try {
    return fields(JSON.parse(body))
  } catch {
    throw new GraphError(100, 'Invalid JSON')
  }
}

function foreignFields(event: Fields): string[] {
  const found: string[] = []
  for (const [part, allowed] of Object.entries(leastData)) {
    const present = Object.keys(part === 'event' ? event : fields(event[part]))
    found.push(...present.filter((name) => !allowed.includes(name)).map((name) => `${part}.${name} is not least data`))
  }
  return found
}

function badEvent(event: Fields): string[] | undefined {
  const { currency, value } = fields(event.custom_data)
  const { external_id: externalId } = fields(event.user_data)
  const checks: [boolean, string][] = [
    [event.event_name === 'Purchase', 'event_name'],
    [Number.isInteger(event.event_time), 'event_time'],
    [typeof event.event_id === 'string', 'event_id'],
    [event.action_source === 'other', 'action_source'],
    [Array.isArray(externalId) && externalId.every((id) => /^[0-9a-f]{64}$/.test(String(id))), 'user_data.external_id'],
    [typeof currency === 'string' && /^[A-Z]{3}$/.test(currency), 'custom_data.currency'],
    [typeof value === 'number' && value >= 0, 'custom_data.value'],
  ]
  const bad = checks.filter(([good]) => !good).map(([, name]) => `${name} is missing or invalid`)
  return bad.length > 0 ? bad : undefined
}

const fields = (value: unknown): Fields => fieldsIn(value) ?? {}
