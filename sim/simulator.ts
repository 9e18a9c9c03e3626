/**
 * The common part of all simulators: an HTTP(S) server that speaks an outside party's wire protocol, logs every
 * request, injects the faults that are ordered over HTTP, and shows its own state to the tests.
 *
 * Control API, on the simulator's own port:
 *   POST   /_control/faults    one Fault, for the next `times` matching requests
 *   POST   /_control/refusals  one Refusal: the same with a code, in the shape that the party documents
 *   DELETE /_control/faults
 *   GET    /_control/log       every request with its status, oldest first (`?after=N&limit=M`: M of them without the first N)
 *   GET    /_control/state     the simulator's own state
 *   POST   /_control/reset     deletes faults, log and state
 *   POST   /_control/do/<name> an action of this simulator (pay, dispute, ...), with a JSON body
 */
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import express, { type Request, type RequestHandler, type Response, type Router } from 'express'
import { type Kept, keepIn } from './keeping.ts'
import { listenHere } from './listen.ts'

/** One fault to inject. Without `match` every request to the simulator matches. */
export interface Fault {
  match?: {
    method?: string /** regular expression over the path and query */
    path?: string /** in the raw body */
    contains?: string
  }
  /**
   * Makes this fault a part of a sequence for one object. The first group of `of` finds the object's name in the path
   * or the body. The first object that no other sequence has taken gets the whole sequence.
   */
  sequence?: { id: string; of: string }
  /** how many matching requests get the fault; default 1 */
  times?: number
  /** answer with this status (and body, headers) without applying the request */
  status?: number
  body?: unknown
  headers?: Record<string, string>
  /** wait before anything else, milliseconds */
  delayMs?: number
  /** `before`: close the connection without applying the request; `after`: apply it, then close (the reply is lost) */
  cut?: 'before' | 'after'
  /** never answer; `before`: without applying the request; `after`: after applying it */
  hang?: 'before' | 'after'
}

/** A refusal with a code of the party's, also one that does not exist. */
export interface Refusing extends Pick<Fault, 'match' | 'times' | 'headers'> {
  code: string
  /** default: the one that the party documents */
  status?: number
  /** of a party with several: which kind of code it is */
  as?: string
}

export interface LoggedRequest {
  at: string
  method: string
  url: string
  headers: Record<string, string | string[] | undefined>
  body: string
  status: number | null
}

type Action = (input: Record<string, unknown>) => unknown

/** `State`: the answer of GET /_control/state. `Replies`: the answers of the actions that have one. */
export interface SimulatorDefinition<State, Replies> {
  name: string
  /** the wire protocol; no body parser is installed, `rawBody(request)` returns the body */
  routes(router: Router): void
  state(): State
  /** Deletes all state and stops timers and deliveries; also called when the simulator stops. */
  reset(): void
  /** what of its state a restart finds again */
  kept?: Kept
  /** the answer with a code, in the documented shape */
  refusal?(refusing: Refusing): { status: number; body: unknown }
  actions?: Record<string, Action> & {
    [Name in keyof Replies]: (input: Record<string, unknown>) => Replies[Name] | Promise<Replies[Name]>
  }
  tls?: { key: string; cert: string }
}

export interface RunningSimulator<State = unknown, Replies = object> {
  name: string
  url: string
  port: number
  stop(): Promise<void>
  /** never set: it carries the types to `controlOf` (sim/control.ts) */
  readonly answers?: { state: State; replies: Replies }
}

const bodies = new WeakMap<Request, string>()

/** The request's body as received (UTF-8). */
export const rawBody = (request: Request): string => bodies.get(request) ?? ''

/** Starts one simulator. Port 0 takes a free one. @param file keeps what it knows over a restart */
export async function startSimulator<State = unknown, Replies = object>(
  definition: SimulatorDefinition<State, Replies>,
  port = 0,
  file?: string,
): Promise<RunningSimulator<State, Replies>> {
  const log: LoggedRequest[] = []
  let faults: (Fault & { left: number })[] = []
  /** the object of each sequence of faults, and the sequence of each object */
  const taken = new Map<string, string>()

  const keeper = file !== undefined && definition.kept ? keepIn(file, definition.kept) : undefined
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.use(express.raw({ type: () => true, limit: '20mb' }), (request, response, next) => {
    bodies.set(request, Buffer.isBuffer(request.body) ? request.body.toString('utf8') : '')
    if (keeper && request.method !== 'GET') response.on('close', () => keeper.changed())
    next()
  })
  app.use('/_control', controlRoutes())
  app.use(record, injectFaults)
  const router = express.Router()
  definition.routes(router)
  app.use(router)

  const server: Server = definition.tls ? createHttpsServer(definition.tls, app) : createHttpServer(app)
  server.keepAliveTimeout = 60_000
  const actual = await listenHere(server, port)
  return {
    name: definition.name,
    port: actual,
    url: `${definition.tls ? 'https' : 'http'}://127.0.0.1:${actual}`,
    stop: () =>
      new Promise((resolve) => {
        keeper?.stop()
        definition.reset()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }

  function record(request: Request, response: Response, next: () => void): void {
    const entry: LoggedRequest = {
      at: new Date().toISOString(),
      method: request.method,
      url: request.originalUrl,
      headers: request.headers,
      body: rawBody(request),
      status: null,
    }
    log.push(entry)
    response.on('finish', () => {
      entry.status = response.statusCode
    })
    next()
  }

  async function injectFaults(request: Request, response: Response, next: () => void): Promise<void> {
    const fault = faults.find(
      (candidate) => candidate.left > 0 && matches(candidate, request) && isMeant(candidate, request),
    )
    if (!fault) return next()
    fault.left -= 1
    if (fault.delayMs) await pause(fault.delayMs)
    if (fault.cut === 'before') return void request.socket.destroy()
    if (fault.hang === 'before') return
    if (fault.status !== undefined) {
      response.status(fault.status).set(fault.headers ?? {})
      if (typeof fault.body === 'string') response.send(fault.body)
      else response.json(fault.body ?? {})
      return
    }
    if (fault.cut === 'after' || fault.hang === 'after') {
      const end = fault.cut === 'after' ? () => request.socket.destroy() : () => undefined
      response.end = () => {
        end()
        return response
      }
    }
    next()
  }

  function isMeant({ sequence }: Fault, request: Request): boolean {
    if (!sequence) return true
    const name = new RegExp(sequence.of).exec(`${request.originalUrl} ${rawBody(request)}`)?.[1]
    if (name === undefined) return false
    const [forName, forSequence] = [`name ${sequence.of} ${name}`, `sequence ${sequence.id}`]
    if (!taken.has(forName) && !taken.has(forSequence)) {
      taken.set(forName, sequence.id)
      taken.set(forSequence, name)
    }
    return taken.get(forSequence) === name && taken.get(forName) === sequence.id
  }

  function controlRoutes(): RequestHandler {
    const control = express.Router()
    const json = (request: Request): Record<string, unknown> => JSON.parse(rawBody(request) || '{}')
    control.post('/faults', (request, response) => {
      const fault: Fault = JSON.parse(rawBody(request))
      faults.push({ ...fault, left: fault.times ?? 1 })
      response.status(204).end()
    })
    control.post('/refusals', (request, response) => {
      const { code, ...given }: Partial<Refusing> = JSON.parse(rawBody(request))
      if (!definition.refusal) return void response.status(404).json({ error: 'no refusals' })
      const { match, times, headers } = given
      const answer = definition.refusal({ code: String(code), ...given })
      faults.push({ ...(match && { match }), ...(headers && { headers }), ...answer, left: times ?? 1 })
      response.status(204).end()
    })
    control.delete('/faults', (_request, response) => {
      faults = []
      taken.clear()
      response.status(204).end()
    })
    control.get('/log', ({ query }, response) => {
      const after = Number(query.after ?? 0)
      response.json(log.slice(after, query.limit === undefined ? undefined : after + Number(query.limit)))
    })
    control.get('/state', (_request, response) => void response.json(definition.state()))
    control.post('/reset', (_request, response) => {
      faults = []
      taken.clear()
      log.length = 0
      definition.reset()
      response.status(204).end()
    })
    control.post('/do/:action', async (request, response) => {
      const actions: Record<string, Action> = definition.actions ?? {}
      const action = actions[String(request.params.action)]
      if (!action) return void response.status(404).json({ error: `no action ${request.params.action}` })
      try {
        response.json((await action(json(request))) ?? {})
      } catch (error) {
        response.status(400).json({ error: String(error) })
      }
    })
    return control
  }
}

function matches(fault: Fault, request: Request): boolean {
  const { match } = fault
  if (!match) return true
  if (match.method && match.method !== request.method) return false
  if (match.path && !new RegExp(match.path).test(request.originalUrl)) return false
  return !match.contains || rawBody(request).includes(match.contains)
}
