/**
 * Runs in the workflow sandbox: reports what a run asks of others, with its inputs, and what it answers. A replay compares
 * only the kinds and names of a run's commands.
 */
import {
  proxySinks,
  type Sinks,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow'

export interface RecorderSinks extends Sinks {
  recorder: { note(text: string): void }
}

export function interceptors(): WorkflowInterceptors {
  const { recorder } = proxySinks<RecorderSinks>()
  const note = (what: string, ...values: unknown[]): void => recorder.note(JSON.stringify([what, ...values]))

  const outbound: WorkflowOutboundCallsInterceptor = {
    scheduleActivity(input, next) {
      note('activity', input.activityType, input.args, input.options)
      return next(input)
    },
    scheduleLocalActivity(input, next) {
      note('local activity', input.activityType, input.args, input.options)
      return next(input)
    },
    startTimer(input, next) {
      note('timer', input.durationMs)
      return next(input)
    },
    signalWorkflow(input, next) {
      note('signal', input.signalName, input.args, input.target)
      return next(input)
    },
    startChildWorkflowExecution(input, next) {
      note('child', input.workflowType, input.options)
      return next(input)
    },
    continueAsNew(input, next) {
      note('continue as new', input.args)
      return next(input)
    },
  }
  const inbound: WorkflowInboundCallsInterceptor = {
    async execute(input, next) {
      try {
        const result = await next(input)
        note('result', result)
        return result
      } catch (error) {
        note('failure', String(error))
        throw error
      }
    },
    async handleUpdate(input, next) {
      try {
        const result = await next(input)
        note('update', input.name, result)
        return result
      } catch (error) {
        note('update failed', input.name, String(error))
        throw error
      }
    },
  }
  return { inbound: [inbound], outbound: [outbound] }
}
