/**
 * Runs in the workflow sandbox: reports what a run asks of others, with its inputs, what it answers, shows and logs,
 * and what it would answer to messages that nobody has sent. A replay compares only the kinds and names of a run's
 * commands.
 */
import { ApplicationFailure, defaultPayloadConverter } from '@temporalio/common'
import {
  getCurrentDetails,
  isCancellation,
  proxySinks,
  type Sinks,
  TemporalFailure,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowInternalsInterceptor,
  type WorkflowOutboundCallsInterceptor,
  workflowInfo,
} from '@temporalio/workflow'
// Its types alone: the handlers of messages are not in the SDK's public part.
import type { getActivator } from '@temporalio/workflow/lib/global-attributes.js'

export interface RecorderSinks extends Sinks {
  recorder: { note(text: string): void }
}

type Activator = ReturnType<typeof getActivator>
type Command = Parameters<NonNullable<WorkflowInternalsInterceptor['concludeActivation']>>[0]['commands'][number]

export function interceptors(): WorkflowInterceptors {
  const { recorder } = proxySinks<RecorderSinks>()
  const note = (what: string, ...values: unknown[]): void => recorder.note(JSON.stringify([what, ...values]))
  /** The last note of each value that is noted when it changes. */
  const last = new Map<string, string>()
  const noteChange = (what: string, name: string, value: unknown): void => {
    const text = JSON.stringify(value)
    if (last.get(what + name) === text) return
    last.set(what + name, text)
    note(what, name, value)
  }
  const probed = new Set<string>()
  /** Of each update the messages that it can read. */
  const readable = new Map<string, unknown[]>()
  // A bug in place of the failures of an activity: test/replay/asked/bugs.ts
  const [, bugIn] = /!(\w+)/.exec(workflowInfo().workflowId) ?? []

  const outbound: WorkflowOutboundCallsInterceptor = {
    scheduleActivity(input, next) {
      note('activity', input.activityType, input.args, input.options)
      return bugIn === input.activityType ? next(input).catch(throwBug) : next(input)
    },
    scheduleLocalActivity(input, next) {
      note('local activity', input.activityType, input.args, input.options)
      return next(input)
    },
    startTimer(input, next) {
      const { summary } = input.options ?? {}
      note('timer', input.durationMs, ...(summary === undefined ? [] : [summary]))
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
        note('failure', ...wordsOf(error))
        throw error
      }
    },
    async handleUpdate(input, next) {
      try {
        const result = await next(input)
        note('update', input.name, result)
        return result
      } catch (error) {
        note('update failed', input.name, ...wordsOf(error))
        throw error
      }
    },
  }
  const internals: WorkflowInternalsInterceptor = {
    concludeActivation(input, next) {
      for (const command of input.commands) noteCommand(command)
      noteChange('shows', 'details', getCurrentDetails())
      const activator = globalThis.__TEMPORAL_ACTIVATOR__
      if (activator) {
        noteAnswers(activator)
        noteLogs(activator)
      }
      return next(input)
    },
  }
  return { inbound: [inbound], outbound: [outbound], internals: [internals] }

  function noteCommand(command: Command): void {
    const fields = command.upsertWorkflowSearchAttributes?.searchAttributes?.indexedFields
    if (fields) {
      const values = Object.entries(fields).map(([name, value]) => [name, defaultPayloadConverter.fromPayload(value)])
      note('attributes', Object.fromEntries(values))
    }
    if (command.cancelTimer) note('cancels a timer')
    if (command.requestCancelActivity) note('cancels an activity')
    if (command.requestCancelLocalActivity) note('cancels a local activity')
  }

  /** Validators and queries change nothing, and signals of another form are left out. */
  function noteAnswers({ queryHandlers, updateHandlers, signalHandlers }: Activator): void {
    for (const [name, { handler }] of queryHandlers) if (!name.startsWith('__')) noteChange('state', name, handler())
    for (const [name, { validator }] of updateHandlers) {
      const answer = (args: unknown[]): string | undefined => {
        try {
          validator?.(...args)
          return undefined
        } catch (error) {
          return wordsOf(error).join(' ')
        }
      }
      if (!probed.has(name)) noteReadable(name, answer)
      const args = readable.get(name)
      if (args) noteChange('would answer', name, answer(args) ?? 'yes')
    }
    for (const [name, { handler }] of signalHandlers) {
      if (probed.has(`signal ${name}`)) continue
      probed.add(`signal ${name}`)
      for (const args of unreadableSignals) void handler(...args)
    }
  }

  function noteReadable(name: string, answer: (args: unknown[]) => string | undefined): void {
    probed.add(name)
    const reads = ([, args]: Probe): boolean => !answer(args)?.includes('MessageUnreadable')
    const taken = probes.filter(reads)
    const [first] = taken
    if (first) readable.set(name, first[1])
    const isObject = taken.some(([words]) => words === fullWords)
    const words = probes.filter((probe) => taken.includes(probe) !== isObject).map(([its]) => its)
    note('reads', name, isObject ? 'all but' : 'only', words.join(', '), answer(['text']))
  }

  function noteLogs({ sinkCalls }: Activator): void {
    for (const { ifaceName, fnName, args } of sinkCalls) {
      if (ifaceName !== '__temporal_logger' || fnName === 'debug' || args[0] === 'Workflow failed') continue
      const own = Object.entries(args[1] ?? {}).filter(([name]) => !ofEachLog.has(name))
      noteChange('logs', `${fnName}: ${args[0]}`, Object.fromEntries(own))
    }
  }
}

const ofEachLog = new Set(['namespace', 'taskQueue', 'workflowId', 'runId', 'workflowType', 'sdkComponent'])

function wordsOf(error: unknown): string[] {
  if (!(error instanceof ApplicationFailure)) return [String(error)]
  return [String(error), error.type ?? '', ...(error.details ?? []).map((detail) => JSON.stringify(detail))]
}

function throwBug(error: unknown): never {
  if (!(error instanceof TemporalFailure) || isCancellation(error)) throw error
  throw new TypeError('a bug')
}

/** The words for a message, and its inputs. */
type Probe = readonly [words: string, args: unknown[]]

const fullWords = 'full'
const full = {
  side: 'old',
  by: 'operator:x',
  status: 'cancelled',
  requestId: 'x',
  reason: 'withdrawn',
  answerKind: 'granted',
  byMail: true,
  answerId: '00000000-0000-4000-8000-00000000000a',
}
/** Other values of its fields, some of which a message may have. */
const others: { readonly [Field in keyof typeof full]: readonly unknown[] } = {
  side: ['new', 'left', '', undefined],
  by: ['', ' x', 'x'.repeat(300), 'x'.repeat(301), 7, ['x'], undefined],
  status: ['replaced', 'gone', '', undefined],
  requestId: ['', 7, undefined],
  reason: ['complexity', 'number_of_requests', 'other', '', undefined],
  answerKind: ['partly_granted', 'refused', 'not_identified', 'withdrawn', 'other', '', undefined],
  byMail: [false, 'yes', '', undefined],
  answerId: [
    undefined,
    null,
    'no UUID',
    '',
    7,
    ['00000000-0000-4000-8000-00000000000a'],
    '00000000-0000-4000-8000-00000000000A',
    '00000000-0000-4000-8000-00000000000a0',
    'a00000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-00000000000a',
    '0000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-8000-00000000000g',
  ],
}
const probes: readonly Probe[] = [
  ['none', []],
  ['null', [null]],
  ['text', ['text']],
  ['number', [7]],
  ['true', [true]],
  ['list', [[]]],
  ['two', [full, full]],
  ['list with fields', [Object.assign([], full)]],
  ['empty', [{}]],
  [fullWords, [full]],
  ['more', [{ ...full, more: 'x' }]],
  ...Object.entries(others).flatMap(([field, values]) =>
    values.map((value): Probe => [`${field} ${shortly(value)}`, [{ ...full, [field]: value }]]),
  ),
]

function shortly(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > 60 ? `of ${text.length - 2}` : text
}

/** No signal reads any of them. */
const unreadableSignals: readonly unknown[][] = [
  ['text'],
  [7],
  [true],
  [[]],
  [{}],
  [{ disputeId: '' }],
  [{ disputeId: ' x' }],
  [{ disputeId: 7 }],
  [{ disputeId: 'x'.repeat(301) }],
  [{ disputeId: 'x' }, { disputeId: 'x' }],
  [Object.assign([], { disputeId: 'x' })],
]
