import { type Child, type Exit, startChild, untilItAnswers } from '../child-process.ts'
import { claimPort } from '../port.ts'
import { findTemporal } from './executable.ts'
import { namespaceIsComplete } from './web-ui.ts'

export type SearchAttributeType = 'Keyword' | 'KeywordList' | 'Text' | 'Int' | 'Double' | 'Bool' | 'Datetime'

export type TemporalOptions = {
  /** gRPC port; default: a free one */
  port?: number
  /** Web UI port, 0 for a free one; default: no Web UI */
  uiPort?: number
  /** SQLite file, made if missing; default: in memory */
  dataFile?: string
  namespace: string
  searchAttributes?: Readonly<Record<string, SearchAttributeType>>
  /** the codec server by which the Web UI decodes payloads */
  uiCodecEndpoint?: string
  /** the folder to remove when this process dies without stopping the server */
  orphanFolder?: string
  /** further server settings, values in JSON */
  dynamicConfig?: Readonly<Record<string, unknown>>
  /** receives progress lines of slow steps */
  log?: (line: string) => void
}

export type TemporalServer = {
  /** `host:port` of the gRPC frontend */
  address: string
  uiUrl?: string
  namespace: string
  /** Stops the server, which first closes its data file. Resolves when it has ended. */
  stop(): Promise<void>
  /** Kills the server at once, like a power cut. Resolves when it has ended. */
  crash(): Promise<void>
  /** Resolves when the server has ended for any reason; never rejects. */
  exited: Promise<Exit>
}

const host = '127.0.0.1'
const startTimeoutMs = 60_000
/**
 * Limits of each shard; the development server has one. At the default of 20 a second each step of a single workflow,
 * and each deletion, waits up to 50 ms.
 */
const responsive = {
  'history.transferProcessorMaxPollRPS': 1000,
  'history.timerProcessorMaxPollRPS': 1000,
  'history.visibilityProcessorMaxPollRPS': 1000,
  // Allows for different clocks of several hosts. With the default of 1 s each skip of time takes 1 s.
  'history.timerProcessorMaxTimeShift': '1ms',
  // By default a closed run is deleted after the queue's next checkpoint, up to 30 s later.
  'history.transferProcessorEnsureCloseBeforeDelete': false,
  // Server 1.32 computes a wrong age for a run that skipped time: it takes the next run for a tight loop, delays it by
  // 1 s, and a fast-forward skips it meanwhile.
  'history.workflowIdReuseMinimalInterval': '0s',
  // With the default of 10 a second the eleventh list or count is refused, and its client waits 1 to 2 s.
  'frontend.namespaceRPS.visibility': 1000,
  // A development server reads the search attributes from its database again for each row that it lists, 2,000 times a
  // second at the most: a list of some thousand runs is refused each time. Others read them once a minute.
  'system.forceSearchAttributesCacheRefreshOnRead': false,
  // A run counts as failing after so many failed workflow tasks, as in Temporal Cloud; the default of 5 takes a minute.
  'system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute': 2,
}

/**
 * Starts a real Temporal server and waits until its namespace answers.
 *
 * The server ends with this process. The first start on a machine may download or build it, see {@link findTemporal}.
 * @throws if there is no server, or it does not start within a minute
 */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const executable = await findTemporal(options.log ?? (() => {}))
  const attempts = options.port ? 1 : 3 // Another program may take the free port first.
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
    // With these two pragmas a file is about three times as fast, and a crash of the server still loses nothing.
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
  const answers = (ask: () => Promise<unknown>): Promise<void> =>
    untilItAnswers(child, { name: 'The Temporal server', withinMs: startTimeoutMs }, ask)
  if (uiUrl !== undefined) {
    let isComplete = false
    await answers(async () => {
      isComplete = await namespaceIsComplete(uiUrl, options)
    })
    if (isComplete) return
  }
  // Loaded while the server starts: it is a third of what `npm start` itself takes.
  const { connectNamespace } = await import('./namespace.ts')
  const { prepare, close } = connectNamespace({ ...options, address })
  try {
    await answers(prepare)
  } finally {
    await close()
  }
}
