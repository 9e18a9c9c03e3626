/**
 * Messages of any form, such as the Web UI sends, leave every run answering. A test run sends each of them a part of
 * the forms by its seed, `npm test -- --all` sends all of them.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import proto, { type temporal } from '@temporalio/proto'
import { afterEach, expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { drawPart } from '../harness/seed.ts'
import { scenarios } from '../replay/scenarios.ts'

const harness = await shareStack({ books: false })

interface Definition {
  type: 'signal' | 'update' | 'query'
  name: string
}

/** Runs that wait, by the contract of their messages. */
const runsOf: Record<string, string[]> = {
  'account-deletion': ['account-deletion-waits-for-a-second-look'],
  'breach/breach': ['breach-waits-for-an-operator'],
  campaign: ['campaign-waits-for-an-operator'],
  'catalogue/catalogue-sync': ['catalogue-sync-waits-for-a-provider'],
  'email-change': ['email-change-waits-for-both-addresses'],
  'events/event-retries': ['event-retries-waits-for-the-endpoint'],
  'keys/key-rotation': ['key-rotation-waits-for-a-backup'],
  'order/bulk-action': ['bulk-action-waits-for-an-operator'],
  'order/order': [
    'order-waits-for-payment',
    'order-waits-for-an-operator',
    'order-waits-for-use',
    'order-waits-for-its-refund-to-be-repeated',
    'order-aftercare-waits-for-its-refund-to-be-repeated',
  ],
  'order/partial-refund': ['partial-refund-waits-for-its-refund-to-settle'],
  'order/withdrawal': ['withdrawal-waits-for-the-provider'],
  'policy-notice': ['policy-notice-waits-for-its-day'],
  'privacy-request': ['privacy-request-waits-for-an-answer'],
  'retention/account-inactivity': ['account-inactivity-waits-for-the-first-warning'],
  'retention/invoice-retention': ['invoice-retention-waits-for-the-end-of-the-term'],
}

/** Messages with an input: these are refused without one, too. */
const withInput = ['dispute', 'resend', 'return-delivered', 'resolve', 'extend', 'confirm', 'waive-old', 'try-again']
/** `cancel` of an order or a campaign has no input, that of a change of address has one. */
const cancelWithInput = 'email-change'

const garbage: unknown[][] = [
  ['text'],
  [''],
  [7],
  [true],
  [[]],
  [['text']],
  [{}],
  [{ wrong: true }],
  // the names of our inputs, with other contents
  [
    {
      disputeId: null,
      requestId: 7,
      side: 'left',
      by: {},
      status: 'gone',
      reason: [],
      answerKind: 'granted',
      byMail: 'no',
    },
  ],
  [{ answerKind: 'granted', byMail: true, answerId: 'no UUID' }],
  [{ disputeId: '', requestId: 'x'.repeat(5_000), by: ' ' }],
  [{ disputeId: 'dp_1' }, { disputeId: 'dp_2' }],
]
const missing: unknown[][] = [[], [null]]

const bytes = (text: string): Buffer => Buffer.from(text)
const payload = (encoding: string, data: Uint8Array) => ({ metadata: { encoding: bytes(encoding) }, data })
/** Payloads that the SDK cannot read: of another program, another codec, or cut off. */
const undecodable: temporal.api.common.v1.IPayload[] = [
  {},
  { data: bytes('{"disputeId":"dp_1"}') },
  { metadata: {}, data: randomBytes(40) },
  payload('', randomBytes(40)),
  payload('json/plain', bytes('')),
  payload('json/plain', bytes('{"disputeId":"dp_1"')),
  payload('json/plain', randomBytes(40)),
  payload('json/protobuf', bytes('{}')),
  payload('binary/protobuf', randomBytes(40)),
  payload('binary/zip', randomBytes(40)),
  payload('binary/encrypted', randomBytes(40)),
  {
    metadata: { encoding: bytes('binary/encrypted'), 'encryption-key-id': bytes('gone') },
    data: randomBytes(3),
  },
  payload('text/\u0000', randomBytes(40)),
  { metadata: { encoding: randomBytes(300) }, data: randomBytes(40) },
]

const contracts = (await readdir(new URL('../../workflows/', import.meta.url), { recursive: true }))
  .filter((file) => file.endsWith('.contract.ts'))
  .map((file) => file.replace('.contract.ts', ''))

async function definitionsOf(contract: string): Promise<Definition[]> {
  const exported: Record<string, unknown> = await import(
    new URL(`../../workflows/${contract}.contract.ts`, import.meta.url).href
  )
  return Object.values(exported).filter(
    (value): value is Definition =>
      typeof value === 'object' &&
      value !== null &&
      'type' in value &&
      (value.type === 'signal' || value.type === 'update' || value.type === 'query'),
  )
}

const partOf = drawPart(4)

// Some runs wait because the mail server takes nothing.
afterEach(() => harness.sims.mailbox.do('clear-rules'))

test('every contract with messages has a waiting run that gets malformed ones', async () => {
  const withMessages: string[] = []
  for (const contract of contracts) if ((await definitionsOf(contract)).length > 0) withMessages.push(contract)
  expect(withMessages.sort()).toEqual(Object.keys(runsOf).sort())
})

test.each(
  Object.entries(runsOf)
    .flatMap(([contract, runs]) => runs.map((run) => ({ contract, run })))
    .map((each, at) => ({ ...each, at })),
)('messages of any form leave $run answering', { timeout: 180_000 }, async ({ contract, run, at }) => {
  const workflowId = await scenarios[run]?.(harness)
  const handle = harness.temporal.workflow.getHandle(workflowId ?? '')
  const { runId } = await handle.describe()
  const accepted: string[] = []
  const definitions = await definitionsOf(contract)
  for (const [atDefinition, { type, name }] of definitions.entries()) {
    const takesInput = withInput.includes(name) || (name === 'cancel' && contract === cancelWithInput)
    const drawn = partOf(garbage, at + atDefinition)
    for (const args of takesInput ? [...missing, ...drawn] : drawn) {
      if (type === 'signal') await handle.signal(name, ...args)
      else if (type === 'query') await handle.query(name, ...args).catch(hasNoHandler)
      else {
        const [first, ...more] = args
        const sent =
          args.length === 0 ? handle.executeUpdate(name) : handle.executeUpdate(name, { args: [first, ...more] })
        const refusal = await sent.then(
          () => accepted.push(`${name} ${JSON.stringify(args).slice(0, 100)}`),
          (error: unknown) => error,
        )
        if (refusal instanceof Error) expect(refusal.name).toBe('WorkflowUpdateFailedError')
      }
    }
  }
  for (const [atDefinition, definition] of definitions.entries())
    for (const each of partOf(undecodable, at + atDefinition))
      await sendUndecodable(handle.workflowId, definition, each)
  expect(accepted).toEqual([])
  // Answered only once all messages were taken.
  await handle.query('__stack_trace')
  const { status, raw } = await handle.describe()
  expect([status.name, raw.pendingWorkflowTask?.attempt ?? 1]).toEqual(['RUNNING', 1])
  const { events = [] } = await harness.temporal.workflow.getHandle(handle.workflowId, runId).fetchHistory()
  expect((events ?? []).filter((event) => event.workflowTaskFailedEventAttributes)).toEqual([])
})

/** Sends a message as another program may, without a data converter. No handler accepts its payload. */
async function sendUndecodable(
  workflowId: string,
  { type, name }: Definition,
  each: temporal.api.common.v1.IPayload,
): Promise<void> {
  const { workflowService, options } = harness.temporal
  const to = { namespace: options.namespace, workflowExecution: { workflowId } }
  const args = { payloads: [each] }
  if (type === 'signal') await workflowService.signalWorkflowExecution({ ...to, signalName: name, input: args })
  else if (type === 'query') {
    const query = { queryType: name, queryArgs: args }
    await workflowService.queryWorkflow({ ...to, execution: { workflowId }, query }).catch(hasNoHandler)
  } else {
    const answer = await workflowService.updateWorkflowExecution({
      ...to,
      request: { meta: { updateId: randomUUID(), identity: 'another program' }, input: { name, args } },
      waitPolicy: {
        lifecycleStage:
          proto.temporal.api.enums.v1.UpdateWorkflowExecutionLifecycleStage
            .UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_COMPLETED,
      },
    })
    expect(answer.outcome?.failure, `${name} ${JSON.stringify(each)}`).toBeTruthy()
  }
}

/** Order and aftercare share a contract, and the aftercare answers no query. */
function hasNoHandler(error: unknown): void {
  expect(String(error)).toMatch(/did not register a handler|QueryNotRegistered/)
}
