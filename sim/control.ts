/** A client of a simulator's control API (sim/simulator.ts), for tests, the demo and the benchmark. */
import type { Fault, LoggedRequest, Refusing, RunningSimulator } from './simulator.ts'

type Input = Record<string, unknown>
type Reply<Replies, Action> = Action extends keyof Replies ? Replies[Action] : Record<string, unknown>

/** A client of a simulator's control API, typed by what the simulator declares about its state and replies. */
export interface SimulatorControl<State, Replies> {
  url: string
  /** @throws with the simulator's own message when it refuses the action */
  do<Action extends string>(action: Action, input?: Input): Promise<Reply<Replies, Action>>
  fault(fault: Fault): Promise<void>
  /** answers the next requests with a code, in the shape that the party documents */
  refuse(refusing: Refusing): Promise<void>
  clearFaults(): Promise<void>
  state(): Promise<State>
  /** @param part leaves out the first `after` requests, and returns `limit` at most */
  log(part?: { after: number; limit: number }): Promise<LoggedRequest[]>
  reset(): Promise<void>
}

/** A client for any of several simulators. */
export interface AnySimulatorControl extends Omit<SimulatorControl<unknown, object>, 'do'> {
  do(action: string, input?: Input): Promise<Record<string, unknown>>
}

/** The client for the simulator that a function such as `startStripe` starts. */
export type ControlOf<Start extends (...options: never[]) => Promise<RunningSimulator>> =
  Awaited<ReturnType<Start>> extends RunningSimulator<infer State, infer Replies>
    ? SimulatorControl<State, Replies>
    : never

/** @param simulator the address of a running simulator, in this process or another */
export function controlOf<State, Replies>(
  simulator: Pick<RunningSimulator<State, Replies>, 'url' | 'answers'>,
): SimulatorControl<State, Replies> {
  async function request(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${simulator.url}/_control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response
  }
  async function ask<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    return JSON.parse(await (await request(method, path, body)).text())
  }
  return {
    url: simulator.url,
    do: (action, input = {}) => ask('POST', `do/${action}`, input),
    fault: async (fault) => void (await request('POST', 'faults', fault)),
    refuse: async (refusing) => void (await request('POST', 'refusals', refusing)),
    clearFaults: async () => void (await request('DELETE', 'faults')),
    state: () => ask('GET', 'state'),
    log: (part) => ask('GET', part ? `log?after=${part.after}&limit=${part.limit}` : 'log'),
    reset: async () => void (await request('POST', 'reset')),
  }
}
