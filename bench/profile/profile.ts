/** Reads the profiles of a worker's threads: what its processor time is for. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[]
  samples: number[]
  timeDeltas: number[]
}

/** Milliseconds by purpose. */
export type Purposes = Record<string, number>

/** Where a function is, and what it is for; the first that fits. */
const purposes: [RegExp, string][] = [
  [/^\(garbage collector\)$/, 'garbage collection'],
  [/^\(program\)$/, 'native code of Node and V8'],
  [/workflow-bundle|evalmachine|^(?:runInContext|runMicrotasks)$/, 'workflow code and the SDK inside of it'],
  [/^(?:write\w*|get stack|initiv?)$/, 'native code of Node and V8'],
  [/node_modules\/(?:@temporalio|protobufjs|long|rxjs|source-map)\/|temporal_sdk|^postMessage$/, "Temporal's SDK"],
  [/node_modules\/postgres\//, 'client of PostgreSQL'],
  [
    /node_modules\/(?:react|react-dom|@react-email|html-to-text|htmlparser2|selderee|@selderee|parseley|dom|css|entities|deepmerge)|\/mails\/|\/messages\//,
    'rendering mails',
  ],
  [/node_modules\/(?:nodemailer|undici|stripe|gaxios|jose|firebase-admin)\/|\/providers\//, 'calls of outside parties'],
  [
    /node:(?:net|http|https|tls|stream|_http\w*|_stream\w*|dns|dgram)|node:internal\/(?:streams|deps\/undici|http|dns|net|stream_base|js_stream)/,
    'calls of outside parties',
  ],
  [/\/db\/crypto\/|node:(?:crypto|internal\/crypto)/, 'encryption'],
  [/node_modules\/(?:pino|sonic-boom|prom-client)|\/shared\/(?:log|metrics)/, 'log and metrics'],
  [/node_modules\/zod/, 'validation'],
  [/\/(?:activities|db|policy|shared|worker|temporal|workflows|context|config)[./]/, 'our own code'],
  [/node:/, 'other code of Node'],
]

/** The profiler's own work. */
const ofProfiler = /^(?:\(idle\)|dispatch|writeSync|AnalyzeTask)$/

/**
 * @returns milliseconds of the threads `activities` and `workflows` of a program, from profiles written in this time
 */
export async function readProfiles(folder: string, program: string, from: number, to: number): Promise<Purposes> {
  const total: Purposes = {}
  for (const file of await readdir(folder)) {
    const [of, thread, , writtenAt] = file.split('.')
    if (of !== program || Number(writtenAt) <= from || Number(writtenAt) > to) continue
    const profile: CpuProfile = JSON.parse(await readFile(join(folder, file), 'utf8'))
    for (const [purpose, ms] of Object.entries(timesOf(profile))) {
      const name = `${thread}: ${purpose}`
      total[name] = (total[name] ?? 0) + ms
    }
  }
  return total
}

function timesOf({ nodes, samples, timeDeltas }: CpuProfile): Purposes {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const times: Purposes = {}
  for (const [index, id] of samples.entries()) {
    const frame = frames.get(id)
    const micros = timeDeltas[index] ?? 0
    if (!frame || ofProfiler.test(frame.functionName) || micros < 0) continue
    const purpose = purposeOf(frame)
    times[purpose] = (times[purpose] ?? 0) + micros / 1000
  }
  return times
}

const purposeOf = ({ functionName, url }: { functionName: string; url: string }): string =>
  purposes.find(([pattern]) => pattern.test(url === '' ? functionName : url))?.[1] ??
  `others, ${functionName} ${url.slice(-60)}`
