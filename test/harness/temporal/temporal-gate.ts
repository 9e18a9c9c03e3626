/**
 * A proxy between a worker and its Temporal server that stops single runs at an exact step: either the worker does not
 * get a task, or the server does not get its result. All other traffic passes.
 */
import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import proto from '@temporalio/proto'
import { isKeyOf } from '../../../shared/keys-of.ts'
import { portOf } from '../../../shared/process/listen.ts'

const { temporal } = proto
const v1 = temporal.api.workflowservice.v1

const maxConcurrentStreams = 10_000
/** A worker reads it as "another worker has the task", and drops the run from its cache. */
const notFound = { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status.NOT_FOUND) }

/** `workflow`, or the type of an activity. */
export type TaskName = string

export interface Step {
  workflowId: string
  task: TaskName
  /** the number of the task among the run's tasks with this name, attempts included; the first is 1 */
  ordinal: number
  /** before the worker gets the task, or before the server gets its result */
  point: 'given' | 'done'
}

export interface Gate {
  /** the value for TEMPORAL_ADDRESS */
  address: string
  /** the steps that passed, oldest first, without those of stopped runs */
  steps: Step[]
  /** the workflow ids of the stopped runs */
  stopped: ReadonlySet<string>
  stop(): Promise<void>
}

/**
 * @param upstream `host:port` of the server
 * @param stops called at each step; once it returns true, nothing of that run passes in either direction
 */
export async function openGate(upstream: string, stops: (step: Step) => boolean): Promise<Gate> {
  const steps: Step[] = []
  const stopped = new Set<string>()
  const counts = new Map<string, number>()
  const tasks = new Map<string, Pick<Step, 'workflowId' | 'task' | 'ordinal'>>()
  const sessions = new Set<Http2Session>()

  const server = createServer({ settings: { maxConcurrentStreams } })
  server.on('session', (session) => {
    const client = connect(`http://${upstream}`, { peerMaxConcurrentStreams: maxConcurrentStreams })
    sessions.add(session).add(client)
    for (const end of [session, client]) {
      end.on('error', () => undefined)
      end.on('close', () => {
        session.destroy()
        client.destroy()
        sessions.delete(end)
      })
    }
    session.on('stream', (stream, headers) => void relay(client, stream, headers).catch(() => stream.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    address: `127.0.0.1:${portOf(server)}`,
    steps,
    stopped,
    async stop() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }

  async function relay(client: ClientHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    stream.on('error', () => undefined)
    const method = String(headers[':path']).split('/').at(-1) ?? ''
    const request = await buffer(stream)
    if (isKeyOf(reports, method) && !passes(reported(method, request))) {
      return stream.respond(notFound, { endStream: true })
    }
    const { ':authority': _authority, ':scheme': _scheme, ...rest } = headers
    const forward = client.request({ ...rest, ':scheme': 'http', ':authority': upstream })
    forward.on('error', () => stream.destroy())
    stream.on('close', () => forward.destroy())
    forward.end(request)
    let trailers: IncomingHttpHeaders = {}
    forward.on('trailers', (received) => {
      trailers = received
    })
    const answer = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
      forward.once('response', resolve).once('error', reject)
    })
    const body = await buffer(forward)
    if (stream.destroyed) return
    stream.respond(answer, { waitForTrailers: body.length > 0, endStream: body.length === 0 })
    if (body.length === 0) return
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end(isKeyOf(gives, method) ? filtered(method, body) : body)
  }

  /** Replaces the task of a stopped run by the empty answer of a poll without a task. */
  function filtered(method: keyof typeof gives, body: Buffer): Buffer {
    return gives[method](messageIn(body)).every(({ token, workflowId, task }) => {
      const ordinal = (counts.get(`${workflowId} ${task}`) ?? 0) + 1
      counts.set(`${workflowId} ${task}`, ordinal)
      tasks.set(token, { workflowId, task, ordinal })
      return passes({ workflowId, task, ordinal, point: 'given' })
    })
      ? body
      : Buffer.alloc(5)
  }

  function reported(method: keyof typeof reports, request: Buffer): Step | undefined {
    const known = tasks.get(reports[method](messageIn(request)))
    return known && { ...known, point: 'done' }
  }

  function passes(step: Step | undefined): boolean {
    if (!step) return true
    if (stopped.has(step.workflowId)) return false
    if (stops(step)) {
      stopped.add(step.workflowId)
      return false
    }
    steps.push(step)
    return true
  }
}

interface Given {
  token: string
  workflowId: string
  task: TaskName
}

/** The calls whose answers contain tasks, with a reader of each. */
const gives = {
  PollWorkflowTaskQueue: (message: Buffer): Given[] =>
    givenWorkflowTask(v1.PollWorkflowTaskQueueResponse.decode(message)),
  PollActivityTaskQueue: (message: Buffer): Given[] => givenActivity(v1.PollActivityTaskQueueResponse.decode(message)),
  RespondWorkflowTaskCompleted: (message: Buffer): Given[] => {
    const { workflowTask, activityTasks } = v1.RespondWorkflowTaskCompletedResponse.decode(message)
    return [...(workflowTask ? givenWorkflowTask(workflowTask) : []), ...(activityTasks ?? []).flatMap(givenActivity)]
  },
}

/** The calls that report a task, with a reader of each. */
const reports = {
  RespondWorkflowTaskCompleted: (message: Buffer) => tokenOf(v1.RespondWorkflowTaskCompletedRequest.decode(message)),
  RespondWorkflowTaskFailed: (message: Buffer) => tokenOf(v1.RespondWorkflowTaskFailedRequest.decode(message)),
  RespondActivityTaskCompleted: (message: Buffer) => tokenOf(v1.RespondActivityTaskCompletedRequest.decode(message)),
  RespondActivityTaskFailed: (message: Buffer) => tokenOf(v1.RespondActivityTaskFailedRequest.decode(message)),
  RespondActivityTaskCanceled: (message: Buffer) => tokenOf(v1.RespondActivityTaskCanceledRequest.decode(message)),
}

const tokenOf = ({ taskToken }: { taskToken?: Uint8Array | null }): string =>
  Buffer.from(taskToken ?? []).toString('base64')

function givenWorkflowTask(task: proto.temporal.api.workflowservice.v1.IPollWorkflowTaskQueueResponse): Given[] {
  const workflowId = task.workflowExecution?.workflowId
  return workflowId ? [{ token: tokenOf(task), workflowId, task: 'workflow' }] : []
}

function givenActivity(task: proto.temporal.api.workflowservice.v1.IPollActivityTaskQueueResponse): Given[] {
  const workflowId = task.workflowExecution?.workflowId
  return workflowId ? [{ token: tokenOf(task), workflowId, task: task.activityType?.name ?? '' }] : []
}

/** The message in a gRPC frame, whose header has a gzip flag and the length. */
function messageIn(body: Buffer): Buffer {
  const message = body.subarray(5)
  return body.length > 0 && body.readUInt8(0) === 1 ? gunzipSync(message) : message
}
