/** Kept histories are paths of the model. The harness checks the histories of each test file in the same way. */
import { describe, expect, test } from 'vitest'
import { readKept } from '../replay/kept.ts'
import { checkedTypes, faultsOfRun } from './check-run.ts'
import { type RunEvent, readRunEvents } from './run-events.ts'

/** Ends of builds that the model does not describe any more. */
const before: Record<string, string> = {
  'order-aftercare-of-a-repeated-refund.1': 'aftercare did not follow its refunds, and told nobody of them',
}

/** Races of test/replay/rare/ whose answers of the database are made up: a real one would have seen the other side. */
const answeredOtherwise: Record<string, string> = {
  'order-cancelled-too-late.1': 'a delivery that is recorded after the order was cancelled',
  'order-cancelled-while-it-is-approved.1': 'an order that is provisioned after it was cancelled',
  'order-cancelled-while-it-is-approved.2': 'an approval that is recorded after the order was cancelled',
  'order-warned-of-while-it-is-approved.1': 'an approval that is recorded before it was asked for',
}

/** Runs that were reset: their rows are ahead of them, and the model has no resets. */
const reset: Record<string, string> = {
  'order-aftercare-reset-after-a-failed-refund.1': 'its refund was made before, and is refused',
  'order-reset-to-before-its-return.1': 'its eSIM was taken back before',
}

const kept = await readKept(({ workflowType }) => checkedTypes.includes(workflowType))
const runs = await Promise.all(
  kept.map(async ({ workflowId, workflowType, history }) => ({
    workflowId,
    workflowType,
    events: await readRunEvents(history, []),
  })),
)
const left = { ...before, ...answeredOtherwise, ...reset }
const current = runs.filter(({ workflowId }) => !(workflowId in left))

test('every kept history of an order is a path of the model', () => {
  expect(new Set(current.map(({ workflowType }) => workflowType))).toEqual(new Set(checkedTypes))
  const faults = runs.flatMap(({ workflowId, events }) => {
    const found = faultsOfRun(events)
    return found.length > 0 ? [[workflowId, ...found]] : []
  })
  expect(faults.filter(([id = '']) => !(id in left))).toEqual([])
  expect(faults.map(([id]) => id).sort()).toEqual(Object.keys(left).sort())
})

const isOf =
  (kind: RunEvent['kind'], name: string) =>
  (event: RunEvent): boolean =>
    event.kind === kind &&
    (('activity' in event && event.activity === name) || ('name' in event && event.name === name))

/** Changes of histories that no run of correct code makes. */
const changes: [what: string, change: (events: RunEvent[]) => RunEvent[]][] = [
  ...(
    [
      ['completed', 'confirmPayment'],
      ['completed', 'cancelPayment'],
      ['completed', 'startProvisioning'],
      ['scheduled', 'provision'],
      ['completed', 'provision'],
      ['completed', 'recordDelivery'],
      ['completed', 'withdrawEsims'],
      ['completed', 'startRefund'],
      ['completed', 'refundPayment'],
      ['completed', 'releaseProvision'],
      ['completed', 'endOrder'],
      ['completed', 'sendOrderMail'],
      ['completed', 'recordWithdrawal'],
      ['completed', 'carryOutWithdrawal'],
      ['completed', 'reservePartialRefund'],
      ['completed', 'recordRefundFailure'],
      ['update', 'approve'],
      ['update', 'reject'],
    ] as const
  ).map(([kind, name]): (typeof changes)[number] => [
    `no ${name} ${kind}`,
    (events) => events.filter((event) => !isOf(kind, name)(event)),
  ]),
  [
    'two refunds',
    (events) => events.flatMap((event) => (isOf('completed', 'refundPayment')(event) ? [event, event] : [event])),
  ],
  [
    'two deliveries',
    (events) => events.flatMap((event) => (isOf('completed', 'provision')(event) ? [event, event] : [event])),
  ],
  [
    'deadlines that come after a second',
    (events) => events.map((event) => ({ ...event, at: Math.min(event.at, (events[0]?.at ?? 0) + 1_000) })),
  ],
  [
    'another end',
    (events) => events.map((event) => (event.kind === 'closed' ? { ...event, result: { status: 'unpaid' } } : event)),
  ],
]

describe('a history is no path of the model with', () => {
  test.each(changes)('%s', (_what, change) => {
    const changed = current.filter(({ events }) => JSON.stringify(change(events)) !== JSON.stringify(events))
    expect(changed.length).toBeGreaterThan(0)
    expect(changed.filter(({ events }) => faultsOfRun(change(events)).length > 0)).not.toEqual([])
  })
})

describe('returns that are refused', () => {
  const historyOf = (id: string): RunEvent[] => current.find(({ workflowId }) => workflowId === id)?.events ?? []
  const isOfReturn = (event: RunEvent): boolean =>
    isOf('update', 'refund')(event) || ('activity' in event && event.activity === 'withdrawEsims')
  /** The customer asks once more before the event, and is refused. */
  const refusedBefore = (events: RunEvent[], next: RunEvent | undefined, type: string, code = ''): RunEvent[] =>
    events.flatMap((event) => {
      if (event !== next) return [event]
      const activity = { at: event.at, activity: 'withdrawEsims', input: {} }
      return [
        { kind: 'update', at: event.at, name: 'refund' },
        { kind: 'scheduled', ...activity },
        { kind: 'failed', ...activity, type, code },
        event,
      ]
    })

  const used = historyOf('order-return-refused-then-expired.1')
  const afterUse = used[used.findLastIndex(isOfReturn) + 1]
  const returned = historyOf('order-returned-unused.1')
  const asked = returned.find(isOfReturn)

  test('a used eSIM is refused each time', () => {
    expect(faultsOfRun(refusedBefore(used, afterUse, 'EsimInUse'))).toEqual([])
  })

  test('a used eSIM ends although the last request was not answered', () => {
    expect(faultsOfRun(refusedBefore(used, afterUse, 'ProviderUnavailable'))).toEqual([])
  })

  test('an eSIM is returned once its top-up is refunded', () => {
    expect(faultsOfRun(refusedBefore(returned, asked, 'EsimInUse', 'topped_up'))).toEqual([])
  })

  test('a used eSIM is not returned', () => {
    expect(faultsOfRun(refusedBefore(returned, asked, 'EsimInUse'))).not.toEqual([])
  })

  test('the code of a refusal is read', () => {
    const codes = current.flatMap(({ events }) =>
      events.flatMap((event) => (event.kind === 'failed' ? event.code : [])),
    )
    expect(codes).toEqual(expect.arrayContaining(['', 'top_up', 'http_503']))
  })
})
