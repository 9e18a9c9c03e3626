/** The table of an order's states matches docs/order-states.md and the kept histories of orders. */
import { expect, test } from 'vitest'
import { periods } from '../../policy/periods.ts'
import { promises } from '../../policy/promises.ts'
import { entriesOf, keysOf } from '../../shared/keys-of.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import {
  isListed,
  limitOf,
  type OrderEvent,
  type OrderReaction,
  type OrderUpdate,
  orderGuards,
  orderStates,
  orderUpdates,
} from '../../workflows/order/order-states.ts'
import { type Kept, readKept } from '../replay/kept.ts'

const names = keysOf(orderStates)
const orders = await readKept(({ workflowType }) => workflowType === 'order')

function reactionsOf(status: OrderStatus): [OrderEvent, OrderReaction][] {
  const reactions: Partial<Record<OrderEvent, OrderReaction>> = orderStates[status].on
  return entriesOf(reactions)
}

/** The promises of the table's column, each with its words. */
const promisesOf = (states: OrderStatus[]): string =>
  [...new Set(states.flatMap((state) => orderStates[state].keeps ?? []))]
    .sort()
    .map((id) => `- ${id}: ${promises[id].sentence}`)
    .join('\n')

/** All transitions between two states, with their events. */
function transitions(): Map<string, OrderEvent[]> {
  const found = new Map<string, OrderEvent[]>()
  for (const from of names)
    for (const [event, { leadsTo = [] }] of reactionsOf(from))
      for (const { to } of leadsTo) {
        const way = `${from} --> ${to === 'closed' ? '[*]' : to}`
        found.set(way, [...(found.get(way) ?? []), event])
      }
  return found
}

test('docs/order-states.md matches the table of an order’s states', async () => {
  const text = `# States of an order

Generated from \`workflows/order/order-states.ts\`. After a change there: \`npx vitest run test/orders/order-states.test.ts -u\`.
The run uses the same table to accept or refuse updates.

## States

${table(
  ['state', 'meaning', 'waits for', 'until', 'promise', 'the customer has', 'refused updates'],
  names.map((name) => {
    const { meaning, waitsFor, until, keeps, customerHas } = orderStates[name]
    const refused = orderUpdates.filter((update) => !isListed(update, name))
    return [code(name), meaning, waitsFor, limit(until), keeps ?? '', customerHas, refused.map(code).join(', ')]
  }),
)}

${promisesOf(names)}

A refused update is answered with \`order_state_conflict\` and changes nothing. A cancellation of the run by Temporal's own
tools counts as \`cancel\` in every state, and is never refused. A closed run (\`[*]\` below) refuses every update;
\`payment\`, \`dispute\` and \`fraud-warning\` go to \`orderAftercare\`, which refunds a payment that arrives late, and
accepts \`refund\` while a late refund has failed. What a fraud warning leads to: [fraud and disputes](fraud-and-disputes.md).

## Transitions

\`\`\`mermaid
stateDiagram-v2
    [*] --> ${names[0]}
${[...transitions()].map(([transition, events]) => `    ${transition}: ${[...new Set(events)].join(', ')}`).join('\n')}
\`\`\`

## Events

Updates are ${orderUpdates.map(code).join(', ')}. Signals are \`payment\`, \`provider\`,
\`dispute\` and \`fraud-warning\`: hints of Stripe or the eSIM provider; a state ignores a signal that it does not list. \`work\`: the run's own
work is done or given up. \`time\`: nothing else happened until the limit. \`[*]\`: the run closes.

${table(
  ['state', 'event', 'only if', 'what happens', 'leads to'],
  names.flatMap((name) =>
    reactionsOf(name).map(([event, reaction]) => [code(name), code(event), ...described(reaction)]),
  ),
)}
`
  await expect(text).toMatchFileSnapshot('../../docs/order-states.md')
})

/** test/orders/each-state.long.test.ts covers a refund that Stripe refuses at once. */
const playedElsewhere = ['refunding --> refund_failed']
/** Of a run that was reset to behind a refund that has failed: its order was refunded since, which it finds. */
const afterReset = ['refund_failed --> refunded']

test('the kept histories of orders have every transition of the table, and no other', () => {
  const gone = orders.flatMap((kept) => movesOf(kept).map(({ from, to }) => `${from} --> ${to}`))
  const listed = [...transitions().keys()].filter((way) => !way.endsWith('[*]'))
  expect([...new Set([...gone, ...playedElsewhere])].sort()).toEqual([...listed, ...afterReset].sort())
})

test('the kept histories of orders have the run status of the table', () => {
  for (const kept of orders)
    for (const { to, waitingFor, dueAt, at } of movesOf(kept)) {
      const { waitsFor, until } = orderStates[to]
      // A top-up's run closes at its delivery.
      if (waitingFor !== 'nothing') expect([kept.workflowId, waitingFor]).toEqual([kept.workflowId, waitsFor])
      if (until === null) expect(dueAt, `${kept.workflowId}: ${to}`).toBeNull()
      // A refund that the bank took is over at once.
      else if (typeof until === 'object' && waitingFor !== 'nothing') {
        const due = limitOf(to, at)
        expect(Math.abs(Number(dueAt) - due.getTime()), `${kept.workflowId}: ${to}`).toBeLessThan(60_000)
      }
    }
})

test('the kept histories of orders accept updates only in states that list them', () => {
  const accepted = orders.flatMap((kept) => updatesOf(kept))
  expect(accepted.filter(({ update, status }) => !isListed(update, status))).toEqual([])
  expect([...new Set(accepted.map(({ update }) => update))].sort()).toEqual([...orderUpdates].sort())
})

test('the limit of an order’s state is a period, or is set by others', () => {
  const since = new Date('2026-11-29T00:00:00Z')
  expect(limitOf('in_review', since).toISOString()).toBe('2026-11-30T00:00:00.000Z')
  expect(limitOf('provisioning', since).toISOString()).toBe('2026-11-29T01:00:00.000Z')
  expect(() => limitOf('delivered', since)).toThrow('by no period')
  expect(() => limitOf('refunding', since)).toThrow('by no period')
})

test('every guard of the order states is used', () => {
  const used = names.flatMap((name) => reactionsOf(name).flatMap(([, { guards = [] }]) => guards))
  expect([...new Set(used)].sort()).toEqual(Object.keys(orderGuards).sort())
})

interface Move {
  from: OrderStatus
  to: OrderStatus
  waitingFor: string
  dueAt: Date | null
  at: Date
}

function movesOf({ history }: Kept): Move[] {
  const moves: Move[] = []
  let from: OrderStatus = 'awaiting_payment'
  for (const event of history.events ?? []) {
    const fields = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields
    // A patch writes a search attribute as well.
    const stage = stageIn(fields)
    if (!stage) continue
    const read = (name: string) => decoded(fields?.[name]?.data)
    const to: OrderStatus = decoded(stage)
    const dueAt = read('DueAt')
    const at = new Date(Number(event.eventTime?.seconds) * 1000)
    // A closing run writes its run status once more, with the same state.
    if (to !== from) moves.push({ from, to, waitingFor: read('WaitingFor'), dueAt: dueAt && new Date(dueAt), at })
    from = to
  }
  return moves
}

function updatesOf({ history }: Kept): { update: OrderUpdate; status: OrderStatus }[] {
  let status: OrderStatus = 'awaiting_payment'
  return (history.events ?? []).flatMap((event) => {
    const stage = stageIn(event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields)
    if (stage) status = decoded(stage)
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name
    return orderUpdates.filter((known) => known === update).map((known) => ({ update: known, status }))
  })
}

type Fields = Record<string, { data?: Uint8Array | null }> | null | undefined

/** Histories from before November 2026 have `Status` in place of `Stage`. */
const stageIn = (fields: Fields) => (fields?.Stage ?? fields?.Status)?.data

const decoded = (data: Uint8Array | null | undefined) =>
  data && data.length > 0 ? JSON.parse(Buffer.from(data).toString()) : null

const code = (name: string): string => `\`${name}\``

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function limit(until: (typeof orderStates)[OrderStatus]['until']): string {
  if (until === null) return 'no limit'
  if (typeof until === 'string') return until
  const minutes = Number(periods.order[until.period]) / 60_000
  const length =
    minutes > 2 * 24 * 60 ? `${minutes / 24 / 60} days` : minutes > 60 ? `${minutes / 60} hours` : `${minutes} minutes`
  return `${length} after ${until.after}`
}

function described({ does, guards = [], leadsTo = [], fails = {}, againAtDelivery }: OrderReaction): string[] {
  const failures = Object.entries(fails).map(([type, why]) => `fails with \`${type}\` when ${why}`)
  return [
    guards.map((guard) => orderGuards[guard]).join('; '),
    [does, ...(againAtDelivery ? ['again at delivery, when there is something to suspend'] : []), ...failures].join(
      '; ',
    ),
    leadsTo.map(({ to, when }) => code(to === 'closed' ? '[*]' : to) + (when ? ` (${when})` : '')).join(', '),
  ]
}
