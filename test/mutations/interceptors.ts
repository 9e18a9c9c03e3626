/** Runs in the workflow sandbox: applies the mutations of the bundle to the runs of their workflow. */
import {
  patched,
  sleep,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from '@temporalio/workflow'
// Types only: the cached bundle would not notice the change of another module of the tests.
import type { AnyCallMutation } from './mutation.ts'

interface Call {
  activityType: string
  args: unknown[]
}

export function interceptors(): WorkflowInterceptors {
  const { workflowType } = workflowInfo()
  const own = (globalThis.workflowMutations ?? []).filter(({ workflow }) => workflow === workflowType)
  if (own.length === 0) return {}
  const calls: AnyCallMutation[] = own.filter((mutation) => 'activity' in mutation)

  const outbound: WorkflowOutboundCallsInterceptor = {
    scheduleActivity: (input, next) => call(input, false, () => next(input)),
    scheduleLocalActivity: (input, next) => call(input, true, () => next(input)),
    async startTimer(input, next) {
      const ends = own.some((it) => 'timer' in it && (it.timer === 'any' || it.timer === input.durationMs))
      if (!ends) await next(input)
    },
    async signalWorkflow(input, next) {
      const drops = own.some((it) => 'sentSignal' in it && it.sentSignal === input.signalName)
      if (!drops) await next(input)
    },
  }
  const inbound: WorkflowInboundCallsInterceptor = {
    async handleSignal(input, next) {
      const drops = own.some((it) => 'receivedSignal' in it && it.receivedSignal === input.signalName)
      if (!drops) await next(input)
    },
  }
  return { inbound: [inbound], outbound: [outbound] }

  function call(input: Call, isLocal: boolean, next: () => Promise<unknown>): Promise<unknown> {
    const mutation = calls.find(
      ({ activity, local = isLocal, when = {} }) =>
        activity === input.activityType && local === isLocal && hasProperties(input.args[0], when),
    )
    return mutation ? mutated(mutation, next) : next()
  }
}

async function mutated(mutation: AnyCallMutation, next: () => Promise<unknown>): Promise<unknown> {
  switch (mutation.fault) {
    case 'skipped':
      return mutation.result
    case 'altered': {
      const answer = await next()
      const { result } = mutation
      return isObject(answer) && isObject(result) ? { ...answer, ...result } : result
    }
    case 'delayed':
      if (mutation.patch === undefined || patched(mutation.patch)) await sleep(1)
      return next()
    case 'broken':
      if (!workflowInfo().unsafe.isReplaying) throw new TypeError(mutation.message)
      return next()
  }
}

const hasProperties = (value: unknown, properties: Record<string, unknown>): boolean =>
  Object.entries(properties).every(([name, wanted]) => isObject(value) && value[name] === wanted)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
