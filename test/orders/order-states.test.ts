/** The table of an order's states: docs/ tells of it, and the kept histories of orders went by it. */
import { expect, test } from 'vitest'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import {
  isListed,
  type OrderEvent,
  type OrderReaction,
  type OrderUpdate,
  orderGuards,
  orderStates,
  orderUpdates,
} from '../../workflows/order/order-states.ts'
import { type Kept, readKept } from '../replay/kept.ts'

const names = Object.keys(orderStates) as OrderStatus[]
const orders = (await readKept()).filter(({ workflowType }) => workflowType === 'order')

const reactionsOf = (status: OrderStatus): [OrderEvent, OrderReaction][] =>
  Object.entries(orderStates[status].on) as [OrderEvent, OrderReaction][]

/** Every way from one state to another, and the events that lead there. */
function ways(): Map<string, OrderEvent[]> {
  const found = new Map<string, OrderEvent[]>()
  for (const from of names)
    for (const [event, { leadsTo = [] }] of reactionsOf(from))
      for (const { to } of leadsTo) {
        const way = `${from} --> ${to === 'closed' ? '[*]' : to}`
        found.set(way, [...(found.get(way) ?? []), event])
      }
  return found
}

test('the document says what the table does', async () => {
  const text = `# States of an order

Made from \`workflows/order/order-states.ts\`; after a change there: \`npx vitest run test/orders/order-states.test.ts -u\`.
The run decides by the same table what it accepts.

## States

${table(
  ['state', 'waits for', 'until', 'promise', 'the customer has', 'refused there'],
  names.map((name) => {
    const { waitsFor, until, keeps, customerHas } = orderStates[name]
    const refused = orderUpdates.filter((update) => !isListed(update, name))
    return [code(name), waitsFor, limit(until), keeps ?? '', customerHas, refused.map(code).join(', ')]
  }),
)}

What is refused is answered with \`order_state_conflict\` and changes nothing. A cancellation of the run by Temporal's own
tools counts as \`cancel\` in every state, and is never refused. Once the run has closed (\`[*]\` below) every update is
refused; \`payment\` and \`dispute\` go to \`orderAftercare\`, which takes \`refund\` while a late refund has failed.

## Ways

\`\`\`mermaid
stateDiagram-v2
    [*] --> ${names[0]}
${[...ways()].map(([way, events]) => `    ${way}: ${[...new Set(events)].join(', ')}`).join('\n')}
\`\`\`

## Events

Updates are ${orderUpdates.map(code).join(', ')}. Signals are \`payment\`, \`provider\`
and \`dispute\`: the processor or the eSIM provider has something to tell; one that a state does not list changes nothing
there. \`work\`: what the run asked of others is done, or is given up. \`time\`: nothing else happened until the limit.
\`[*]\`: the run closes.

${table(
  ['state', 'event', 'only if', 'what happens', 'leads to'],
  names.flatMap((name) =>
    reactionsOf(name).map(([event, reaction]) => [code(name), code(event), ...described(reaction)]),
  ),
)}
`
  await expect(text).toMatchFileSnapshot('../../docs/order-states.md')
})

/** A refund that the processor refuses at once is played by test/orders/stages.test.ts. */
const playedElsewhere = ['refunding --> refund_failed']

test('kept orders went every way of the table, and no other', () => {
  const gone = orders.flatMap((kept) => movesOf(kept).map(({ from, to }) => `${from} --> ${to}`))
  const listed = [...ways().keys()].filter((way) => !way.endsWith('[*]'))
  expect([...new Set([...gone, ...playedElsewhere])].sort()).toEqual(listed.sort())
})

test('kept orders said what they waited for and until when as the table says it', () => {
  for (const kept of orders)
    for (const { to, waitingFor, dueAt, at } of movesOf(kept)) {
      const { waitsFor, until } = orderStates[to]
      // A top-up's run closes with its delivery.
      if (waitingFor !== 'nothing') expect([kept.workflowId, waitingFor]).toEqual([kept.workflowId, waitsFor])
      if (until === null) expect(dueAt, `${kept.workflowId}: ${to}`).toBeNull()
      else if (typeof until === 'object') {
        const due = plusMs(at, periods.order[until.period] as number)
        expect(Math.abs(Number(dueAt) - due.getTime()), `${kept.workflowId}: ${to}`).toBeLessThan(60_000)
      }
    }
})

test('kept orders accepted updates only in states that list them', () => {
  const accepted = orders.flatMap((kept) => updatesOf(kept))
  expect(accepted.filter(({ update, status }) => !isListed(update, status))).toEqual([])
  expect([...new Set(accepted.map(({ update }) => update))].sort()).toEqual([...orderUpdates].sort())
})

test('every guard guards something', () => {
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
    if (!fields) continue
    const read = (name: string) => {
      const data = fields[name]?.data
      return data && data.length > 0 ? JSON.parse(Buffer.from(data).toString()) : null
    }
    const to: OrderStatus = read('Status')
    const dueAt = read('DueAt')
    const at = new Date(Number(event.eventTime?.seconds) * 1000)
    // A run that closes says so once more, and keeps its state.
    if (to !== from) moves.push({ from, to, waitingFor: read('WaitingFor'), dueAt: dueAt && new Date(dueAt), at })
    from = to
  }
  return moves
}

function updatesOf({ history }: Kept): { update: OrderUpdate; status: OrderStatus }[] {
  let status: OrderStatus = 'awaiting_payment'
  return (history.events ?? []).flatMap((event) => {
    const data = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields?.Status?.data
    if (data) status = JSON.parse(Buffer.from(data).toString())
    const update = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name
    return update ? [{ update: update as OrderUpdate, status }] : []
  })
}

const code = (name: string): string => `\`${name}\``

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

function limit(until: (typeof orderStates)[OrderStatus]['until']): string {
  if (until === null) return 'no limit'
  if (typeof until === 'string') return until
  const minutes = (periods.order[until.period] as number) / 60_000
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
