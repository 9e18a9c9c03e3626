import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { msToNumber, msToTs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'
import { type Child, type Exit, startChild } from '../child-process.ts'
import { claimPort } from '../port.ts'
import { findTemporal } from './executable.ts'

export type SearchAttributeType = 'Keyword' | 'KeywordList' | 'Text' | 'Int' | 'Double' | 'Bool' | 'Datetime'

export type TemporalOptions = {
  /** gRPC port; a free one unless given. */
  port?: number
  /** Web UI port; 0 for a free one, no Web UI unless given. */
  uiPort?: number
  /** SQLite file, made if missing; in memory unless given. */
  dataFile?: string
  namespace: string
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>
  /** The codec server the Web UI decodes payloads with. */
  uiCodecEndpoint?: string
  /** Folder to remove if this process dies without having stopped the server. */
  orphanFolder?: string
  /** Further server settings, values as JSON. */
  dynamicConfig?: Readonly<Record<string, unknown>>
  /** Receives one progress line at a time while something slow is under way. */
  log?: (line: string) => void
}

export type TemporalServer = {
  /** `host:port` of the gRPC frontend. */
  address: string
  uiUrl?: string
  namespace: string
  /** Resolves when the server is gone. A server with a data file gets the time to close it. */
  stop(): Promise<void>
  /** Kills the server without warning, as a power cut would. Resolves when it is gone. */
  crash(): Promise<void>
  /** Resolves when the server has ended, whoever ended it; never rejects. */
  exited: Promise<Exit>
}

const host = '127.0.0.1'
const startTimeoutMs = 60_000
/** The CLI keeps closed runs for a day; a person debugging on Monday wants Friday's. */
const retention = '7 days'

/**
 * The dev server has one shard, and each of these is a limit per shard: at the default of 20 a second every hop of a
 * lone workflow, and every deletion, waits up to 50 ms.
 */
const responsive = {
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  'history.visibilityProcessorMaxPollRPS': 1000,
  // Allows for clocks of several hosts to differ. One host needs none, and at the default of 1 s every skip takes 1 s.
  'history.timerProcessorMaxTimeShift': '1ms',
  // Otherwise a closed run is deleted only after the queue's next checkpoint, up to 30 s later.
  'history.transferProcessorEnsureCloseBeforeDelete': false,
  // Server 1.32 miscounts the age of a run that skipped time. It takes its successor for the turn of a tight loop,
  // holds it back for 1 s, and a fast-forward passes over it meanwhile.
  'history.workflowIdReuseMinimalInterval': '0s',
  // At the default of 10 a second the eleventh list or count is refused, and its client waits 1 to 2 s.
  'frontend.namespaceRPS.visibility': 1000,
  // A run is marked as failing after so many workflow tasks, as in Temporal Cloud: the default of 5 takes a minute.
  'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 2,
}

/**
 * Starts a real Temporal server and waits until its namespace answers.
 *
 * The server cannot outlive this process. The first start on a machine may have to download or build it, see
 * {@link findTemporal}.
 * @throws if no server can be had, or it does not come up within a minute
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const executable = await findTemporal(options.log ?? (() => {}))
  const attempts = options.port ? 1 : 3 // a free port may be taken between looking and listening
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(executable, options)
    } catch (error) {
      if (attempt === attempts) throw error
    }
  }
}

async function startOnce(executable: string, options: TemporalOptions): Promise<TemporalServer> {
  const port = await claimPort(options.port ?? 0)
  const uiPort = options.uiPort === undefined ? undefined : await claimPort(options.uiPort)
  const child = await startChild(executable, argumentsFor({ ...options, port }, uiPort), {
    ...(options.dataFile === undefined && { orphanSignal: 'SIGKILL' as const }),
    ...(options.orphanFolder !== undefined && { orphanFolder: options.orphanFolder }),
  })
  const address = `${host}:${port}`
  const uiUrl = uiPort === undefined ? undefined : `http://${host}:${uiPort}`
  try {
    await waitUntilReady(child, address, uiUrl, options)
  } catch (error) {
    await child.stop('SIGKILL')
    throw error
  }
  return {
    address,
    ...(uiUrl !== undefined && { uiUrl }),
    namespace: options.namespace,
    async stop() {
      await child.stop(options.dataFile === undefined ? 'SIGKILL' : 'SIGTERM')
    },
    async crash() {
      await child.stop('SIGKILL')
    },
    exited: child.exited,
  }
}

function argumentsFor(options: TemporalOptions & { port: number }, uiPort: number | undefined): string[] {
  const { port, dataFile, namespace, searchAttributes = {}, uiCodecEndpoint } = options
  const settings = { 'frontend.WorkflowTimeSkippingEnabled': true, ...responsive, ...options.dynamicConfig }
  return [
    ...['server', 'start-dev', '--ip', host, '--port', String(port), '--namespace', namespace, '--log-level', 'error'],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(uiCodecEndpoint === undefined ? [] : ['--ui-codec-endpoint', uiCodecEndpoint]),
    // Without the two pragmas a file is about a third as fast; with them a crash of the server loses nothing.
    ...(dataFile === undefined
      ? []
      : ['--db-filename', dataFile, '--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=1']),
    ...Object.entries(searchAttributes).flatMap(([name, type]) => ['--search-attribute', `${name}=${type}`]),
    ...Object.entries(settings).flatMap(([k, v]) => ['--dynamic-config-value', `${k}=${JSON.stringify(v)}`]),
  ]
}

async function waitUntilReady(
  child: Child,
  address: string,
  uiUrl: string | undefined,
  options: TemporalOptions,
): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  const gone = child.exited.then(({ code, signal }) => {
    throw new Error(`The Temporal server ended while starting (${signal ?? `code ${code}`}):\n${child.output()}`)
  })
  gone.catch(() => {})
  const connection = Connection.lazy({
    address,
    // The loop below repeats. The SDK's own retry would fire from a timer after the connection is closed, and throw there.
    interceptors: [],
    // The default first retry comes after a second, several times what the start takes.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 20, 'grpc.max_reconnect_backoff_ms': 100 },
  })
  try {
    for (;;) {
      try {
        await Promise.race([
          gone,
          connection.withDeadline(Date.now() + 2_000, () => prepareNamespace(connection, options)),
        ])
        if (uiUrl !== undefined) await fetch(uiUrl, { method: 'HEAD', signal: AbortSignal.timeout(2_000) })
        return
      } catch (error) {
        if (Date.now() > deadline) {
          throw new Error(`The Temporal server did not come up in ${startTimeoutMs / 1000} s:\n${child.output()}`, {
            cause: error,
          })
        }
      }
      await Promise.race([gone, delay(20)])
    }
  } finally {
    await connection.close()
  }
}

/** A data file from an earlier start has the namespace, but not what was added to the options since. */
async function prepareNamespace(connection: Connection, options: TemporalOptions): Promise<void> {
  const { namespace, searchAttributes = {} } = options
  const description = await connection.workflowService.describeNamespace({ namespace })
  if (Number(description.config?.workflowExecutionRetentionTtl?.seconds ?? 0) < msToNumber(retention) / 1000) {
    await connection.workflowService.updateNamespace({
      namespace,
      config: { workflowExecutionRetentionTtl: msToTs(retention) },
    })
  }
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(searchAttributes).filter(([name]) => customAttributes[name] === undefined)
  if (missing.length === 0) return
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, indexedValueTypes[type]])),
  })
}

const { IndexedValueType } = proto.temporal.api.enums.v1
const indexedValueTypes = {
  Keyword: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
  KeywordList: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
  Text: IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
  Int: IndexedValueType.INDEXED_VALUE_TYPE_INT,
  Double: IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
  Bool: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
  Datetime: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
} as const
