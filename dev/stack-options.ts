/** The options of a stack. */
import type { Limits } from '../api/http/limits.ts'
import type { Settings } from './stack-settings.ts'

export interface StackOptions {
  /** `fixed`: the ports of dev/fixed-ports.ts; default `free` */
  ports?: 'fixed' | 'free'
  /** keeps keys, database and runs for the next start; without it they are deleted at the end */
  dataDir?: string
  /** writes Temporal's data to a file without a `dataDir`: they survive `temporalServer.crash()` */
  durable?: boolean
  /** further settings of the embedded Temporal server, values in JSON */
  dynamicConfig?: Readonly<Record<string, unknown>>
  /** `one`: API, worker and simulators in this process; `apart`: each as a process */
  processes?: 'one' | 'apart'
  /**
   * the folder of built programs (cli/programs/built.mjs), which processes load instead of the sources, in a fraction
   * of the time
   */
  built?: string | undefined
  workers?: number
  /** its settings replace the embedded defaults; default: none */
  environment?: Record<string, string | undefined>
  /** override all other settings */
  settings?: Settings
  /** limits of an API in this process */
  limits?: Partial<Limits>
  /** how long this process waits for each outside party, milliseconds, instead of the party's own limit */
  replyTimeoutMs?: number
  keepMail?: 'all' | 'envelopes'
  /** whether to start the Web UI; default: only with fixed ports */
  ui?: boolean
  /** receives each log line of API and worker, in JSON */
  onLogLine?: (line: string) => void
  /** receives progress lines of slow steps */
  onProgress?: (line: string) => void
  /** how long API and worker in this process may drain, milliseconds */
  drainMs?: number
  /**
   * For programs that are restarted often: a process for the next start is kept ready. A program that ends unexpectedly
   * is reported here and does not stop the stack.
   */
  onProgramEnded?: (why: string) => void
}
