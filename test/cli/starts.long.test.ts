/** A program whose surroundings are not as they should be says so in one message, with the settings to look at. */
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { listenOn } from '../../shared/process/listen.ts'
import { placeholders } from '../harness/api/api-harness.ts'
import { startProgram } from '../harness/processes.ts'

const server = createServer()
const taken = String(await listenOn(server, 0, '127.0.0.1'))
afterAll(() => void server.close())

test.each<[program: string, settings: Record<string, string>, names: RegExp]>([
  [
    'api/main.ts',
    { API_PORT: taken },
    /^cannot listen on 127\.0\.0\.1, port \d+: .*\. Look at API_HOST and API_PORT\.$/,
  ],
  ['api/main.ts', { API_HOST: '192.0.2.1' }, /^cannot listen on 192\.0\.2\.1.* Look at API_HOST and API_PORT\.$/],
  ['worker/main.ts', { WORKER_METRICS_PORT: taken }, / Look at WORKER_METRICS_HOST and WORKER_METRICS_PORT\.$/],
  [
    'api/main.ts',
    { TEMPORAL_PROFILE: 'nobody' },
    /^The configuration has 1 fault\(s\):\n {2}TEMPORAL_\*: Profile 'nobody'/,
  ],
  ['worker/main.ts', { TEMPORAL_PROFILE: 'nobody' }, /^The configuration has 1 fault\(s\):\n {2}TEMPORAL_\*: /],
  [
    'cli/start.mjs',
    { AMA_DATA_DIR: fileURLToPath(import.meta.url) },
    /^ *ENOTDIR: .*\n *\S+ \(AMA_DATA_DIR\) has to be a folder/,
  ],
  ['cli/setup.ts', { TEMPORAL_PROFILE: 'nobody' }, /TEMPORAL_\*: Profile 'nobody'/],
  ['cli/deploy.ts status', { TEMPORAL_PROFILE: 'nobody' }, /TEMPORAL_\*: Profile 'nobody'/],
])(
  '%s with %o ends with one message',
  async (command, settings, names) => {
    const [program = '', ...args] = command.split(' ')
    const own = { WORKER_METRICS_PORT: '0', TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml', ...settings }
    const started = startProgram(process.execPath, ['--import', 'tsx', program, ...args], { ...placeholders(), ...own })
    const { code } = await started.ended
    const output = started.output().trim()
    expect(output).not.toMatch(/\n +at /)
    expect([code, output]).toEqual([1, expect.stringMatching(names)])
  },
  180_000,
)
