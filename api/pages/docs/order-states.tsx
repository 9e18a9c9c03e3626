import { entriesOf } from '../../../shared/keys-of.ts'
import { orderStates } from '../../../workflows/order/order.contract.ts'
import { WideTable } from '../form.tsx'
import { renderDocsPage } from './frame.tsx'

type Status = keyof typeof orderStates

const states = entriesOf(orderStates)

/** Column and row of each state in the diagram: the way of an order from the left to the right. */
const places: Record<Status, [column: number, row: number]> = {
  awaiting_payment: [0, 1],
  in_review: [1, 0],
  provisioning: [1, 1],
  cancelled: [1, 2],
  unpaid: [1, 3],
  delivered: [2, 1],
  refunding: [2, 0],
  ended: [3, 2],
  refunded: [3, 0],
  refund_failed: [3, 1],
}

const step = { x: 215, y: 110 }
const box = { width: 150, height: 40 }

/** The states of an order: a diagram and a table, both made from the table by which the run works. */
export function renderOrderStates(): string {
  return renderDocsPage(
    'States of an order',
    <>
      <p>
        An order is paid within its time or ends as <code>unpaid</code>. A paid order is delivered, or refunded by
        itself. Poll <code>GET /v1/orders/{'{id}'}</code>; <code>dueAt</code> says how long the state lasts at most.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard cannot scroll the diagram */}
      <section className="scroll" aria-label="Diagram" tabIndex={0}>
        <Diagram />
      </section>
      <WideTable label="States" heads={['Status', 'Meaning', 'The customer has', 'Leads to']}>
        {states.map(([status, { meaning, customerHas }]) => (
          <tr key={status}>
            <td>
              <code>{status}</code>
            </td>
            <td>{meaning}</td>
            <td>{customerHas}</td>
            <td>{nextOf(status).join(', ')}</td>
          </tr>
        ))}
      </WideTable>
    </>,
    '/docs/order-states',
  )
}

/** The states that a state leads to, each once. */
function nextOf(status: Status): Status[] {
  const steps = Object.values(orderStates[status].on).flatMap(({ leadsTo = [] }) => leadsTo.map(({ to }) => to))
  return [...new Set(steps)].filter((to): to is Status => to !== 'closed')
}

function Diagram() {
  const arrows = states.flatMap(([from]) => nextOf(from).map((to) => ({ from, to })))
  return (
    <svg viewBox="0 0 830 400" width="830" height="400" role="img" aria-label="Diagram; the table below says the same">
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="8"
          refY="4"
          markerWidth="8"
          markerHeight="8"
          orient="auto-start-reverse"
        >
          <path d="M0 0 8 4 0 8z" fill="currentColor" />
        </marker>
      </defs>
      {arrows.map(({ from, to }) => (
        <path
          key={`${from} ${to}`}
          d={arrow(from, to)}
          fill="none"
          stroke="currentColor"
          strokeOpacity="0.55"
          markerEnd="url(#tip)"
        />
      ))}
      {states.map(([status]) => {
        const { x, y } = corner(status)
        return (
          <g key={status}>
            <rect x={x} y={y} width={box.width} height={box.height} rx="8" fill="none" stroke="currentColor" />
            <text x={x + box.width / 2} y={y + 25} textAnchor="middle" fontSize="14" fill="currentColor">
              {status}
            </text>
          </g>
        )
      })}
    </svg>
  )
}

const corner = (status: Status) => ({ x: 10 + places[status][0] * step.x, y: 15 + places[status][1] * step.y })

/** From side to side between columns, from edge to edge within one; a way back and forth takes two lines. */
function arrow(from: Status, to: Status): string {
  const [a, b] = [corner(from), corner(to)]
  if (a.x === b.x) {
    const down = b.y > a.y
    const x = a.x + box.width / 2 + (down ? 12 : -12)
    return `M${x} ${down ? a.y + box.height : a.y}L${x} ${down ? b.y : b.y + box.height}`
  }
  const right = b.x > a.x
  const shift = right ? -6 : 6
  const start = { x: right ? a.x + box.width : a.x, y: a.y + box.height / 2 + shift }
  const end = { x: right ? b.x : b.x + box.width, y: b.y + box.height / 2 + shift }
  const middle = (start.x + end.x) / 2
  return `M${start.x} ${start.y}C${middle} ${start.y} ${middle} ${end.y} ${end.x} ${end.y}`
}
