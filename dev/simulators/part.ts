import { z } from 'zod'
import { compiledIn } from '../../cli/programs/built.mjs'
import { builtFile } from '../../cli/programs/entry-points.ts'
import { type Part, startProcess } from '../part.ts'
import { type RunningSimulators, type SimulatorPlan, startSimulators } from './simulators.ts'

export interface SimulatorsPart extends Part, Pick<RunningSimulators, 'urls' | 'settings'> {}

/** Starts the simulators in this process. */
export async function startSimulatorsHere(plan: SimulatorPlan): Promise<SimulatorsPart> {
  const { urls, settings, stop } = await startSimulators(plan)
  // The simulators end only with this process.
  const exited = new Promise<undefined>(() => {})
  return { name: 'the simulators', urls, settings, exited, stop, kill: stop }
}

const program = 'dev/simulators/main.ts'

/** The answer of the process once its simulators have started. */
const started = z.object({ urls: z.record(z.string(), z.string()), settings: z.record(z.string(), z.string()) })

/**
 * Starts the simulators as a process, so that measurements do not count their work as ours.
 * @param built the folder of built programs, which the process loads instead of the sources
 */
export async function startSimulatorsProcess(
  plan: SimulatorPlan,
  env: Record<string, string | undefined>,
  built?: string,
): Promise<SimulatorsPart> {
  let ready = (_: Pick<RunningSimulators, 'urls' | 'settings'>): void => {}
  const answer = new Promise<Pick<RunningSimulators, 'urls' | 'settings'>>((resolve) => {
    ready = resolve
  })
  const part = await startProcess({
    name: 'the simulators',
    entry: built === undefined ? program : builtFile(built, program),
    env: built === undefined ? env : { NODE_COMPILE_CACHE: compiledIn(built), ...env },
    onMessage: (message) => ready(started.parse(message)),
    stopWithinMs: 10_000,
  })
  part.send({ ...plan })
  const failed = part.exited.then((why) => {
    throw new Error(why ?? 'the simulators were stopped while starting')
  })
  failed.catch(() => {})
  return { ...part, ...(await Promise.race([answer, failed])) }
}
