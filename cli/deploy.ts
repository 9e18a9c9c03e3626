/**
 * `npm run deploy -- check|start|ramp|promote|rollback|retire|status`: deploys a build of the worker beside the running
 * ones, by Temporal's Worker Deployments. The command acts for its own build: run it in that build's image.
 */
import { msToNumber } from '@temporalio/common/lib/time.js'
import { createLog } from '../shared/log.ts'
import { endWithUsage, readArguments } from '../shared/process/arguments.ts'
import { stopAsked } from '../shared/shutdown.ts'
import { connectTemporal } from '../temporal/client.ts'
import { loadBundle } from '../worker/bundle.ts'
import { ownsSchedules } from '../worker/deployment.ts'
import { BundleFault, readProductionBundle } from '../worker/production-bundle.ts'
import { reconcileSchedules } from '../worker/schedules.ts'
import { installRuntime } from '../worker/temporal-logger.ts'
import { checkReplay } from './deploy/replay-check.ts'
import { check, promote, Refusal, type Rollout, ramp, retire, rollBack, start, status } from './deploy/rollout.ts'
import { runCommand } from './run-command.ts'
import { readConfigBeside } from './running-stack.ts'

const usage = `Usage: npm run deploy -- <command>
  check                   replays kept histories and open runs against this build
  start                   waits until workers of this build poll          [--wait 2m]
  ramp --percent <1-100>  checks, sends a share of the work, watches; a failure takes it back  [--watch 5m]
  promote                 checks, sends all of the work, watches; a failure takes it back      [--watch 1m]
  rollback                takes the ramp back, or returns to the previous build  [--to <build id>] [--anyway]
  retire                  deletes drained builds from Temporal
  status                  shows builds, their workers, and runs that cannot continue
check, ramp, promote and rollback take --per-type <open runs of each workflow to replay, 500> and --except <workflow id>,
once for each run that is known not to replay.`

const { positionals, values } = readArguments(
  usage,
  {
    percent: { type: 'string' },
    watch: { type: 'string' },
    wait: { type: 'string', default: '2m' },
    to: { type: 'string' },
    anyway: { type: 'boolean', default: false },
    'per-type': { type: 'string', default: '500' },
    except: { type: 'string', multiple: true, default: [] },
  },
  { words: true },
)
const commands = ['check', 'start', 'ramp', 'promote', 'rollback', 'retire', 'status'] as const
const [command = '', ...others] = positionals
const percent = Number(values.percent)
const perType = Number(values['per-type'])
if (command === '') endWithUsage(usage, 'A command is missing.')
if (!commands.some((name) => name === command)) endWithUsage(usage, `There is no command ${command}.`)
if (others.length > 0) endWithUsage(usage, `One command at a time: ${others.join(' ')} is too much.`)
if (command === 'ramp' && !(Number.isInteger(percent) && percent >= 1 && percent <= 100))
  endWithUsage(usage, 'ramp needs --percent, a number from 1 to 100.')
if (!(Number.isInteger(perType) && perType >= 1)) endWithUsage(usage, '--per-type takes a number from 1 on.')

const watchMs = durationOf('watch', values.watch ?? (command === 'promote' ? '1m' : '5m'))
const waitMs = durationOf('wait', values.wait)
await runCommand(() => run(watchMs, waitMs))

/** Returns the exit code. */
async function run(watchMs: number, waitMs: number): Promise<number> {
  const { config, temporal } = await readConfigBeside(process.env)
  const silent = createLog({ level: 'silent' })
  const client = connectTemporal(config, temporal)
  const say = (line: string): void => console.log(line)
  const { PAYLOAD_KEYS: payloadKeys, WORKER_BUILD_ID: ownBuildId } = config
  const rollout: Rollout = {
    client,
    deploymentName: config.WORKER_DEPLOYMENT,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    ownBuildId,
    say,
    check: async () => {
      const bundle =
        config.NODE_ENV === 'production'
          ? await readProductionBundle({ versioned: true })
          : await loadBundle({ encrypted: payloadKeys !== undefined, versioned: true, log: silent })
      // The SDK writes pages about each history that does not replay. Nothing may fail between here and the replay: a
      // runtime that is installed and not used keeps the process from ending.
      installRuntime({ log: silent })
      return checkReplay(rollout, { bundle, payloadKeys, perType, except: values.except, say })
    },
  }
  const onInterruption = (): AbortSignal => {
    const interrupted = new AbortController()
    void stopAsked(process.env).then(() => interrupted.abort())
    return interrupted.signal
  }
  const watch = { watchMs, onInterruption, say }
  const { to, anyway } = values
  const works: Record<string, () => Promise<void>> = {
    check: () => check(rollout),
    start: () => start(rollout, waitMs),
    ramp: () => ramp(rollout, percent, watch),
    promote: () => promote(rollout, watch).then(reconcile),
    rollback: () => rollBack(rollout, { ...(to !== undefined && { to }), anyway }).then(reconcile),
    retire: () => retire(rollout),
    status: () => status(rollout),
  }
  try {
    await works[command]?.()
    return 0
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof BundleFault)) throw error
    console.error(error.message)
    return 1
  } finally {
    await client.connection.close()
  }

  /** Applies this build's schedules: its worker did not, since it started before the build was current. */
  async function reconcile(): Promise<void> {
    if (await ownsSchedules(client, config)) await reconcileSchedules(client, config.TEMPORAL_TASK_QUEUE)
    else say('The schedules stay unchanged until a worker of the current build restarts.')
  }
}

function durationOf(option: string, text: string): number {
  try {
    return msToNumber(text as `${number} s`)
  } catch {
    return endWithUsage(usage, `--${option} takes a duration such as 90s, 5m or 1h.`)
  }
}
