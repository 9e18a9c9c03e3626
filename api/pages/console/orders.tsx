/** The orders that wait, by what they wait for. */
import type { StateCount, WaitingState } from '../../../db/operator/order-queue.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { moment, money } from '../../../mails/format.ts'
import { orderStates } from '../../../workflows/order/order-states.ts'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { age, plain, Table } from './parts.tsx'

export interface OrdersPage {
  asOf: Date
  status: WaitingState
  counts: readonly StateCount[]
  orders: readonly { row: OrderRow; dueAt: Date | null }[]
  next: string | null
}

export function renderOrders(frame: ConsoleFrame, { asOf, status, counts, orders, next }: OrdersPage): string {
  const count = counts.find((each) => each.status === status)?.count ?? 0
  return renderConsolePage(frame, {
    title: `Orders: ${plain(status)} (${count}${orders.length < count ? `, ${orders.length} shown` : ''})`,
    children: (
      <>
        <OrderCounts counts={counts} asOf={asOf} shown={status} />
        <p>They wait for {orderStates[status].waitsFor}; those that wait longest come first.</p>
        {orders.length === 0 ? <p className="quiet">Nothing.</p> : null}
        <Table heads={['Order', 'Bought', 'Why', 'Waits', 'Until']}>
          {orders.map(({ row, dueAt }) => (
            <tr key={row.id}>
              <td>
                <a href={`/console/orders/${row.id}`}>{row.id}</a>
              </td>
              <td>
                {row.package_name}, {money({ minor: row.gross_minor, currency: row.currency })}
              </td>
              <td>{row.reason ? plain(row.reason) : ''}</td>
              <td>for {age(asOf, row.paid_at ?? row.created_at)}</td>
              <td className={dueAt && dueAt < asOf ? 'broken' : undefined}>
                {dueAt && dueAt < asOf ? 'LATE, was due by ' : ''}
                {dueAt ? moment(dueAt) : 'no day'}
              </td>
            </tr>
          ))}
        </Table>
        {next ? (
          <p>
            <a href={next}>Newer ones</a>
          </p>
        ) : null}
      </>
    ),
  })
}

/** How many orders wait, with a link to each queue. */
export function OrderCounts({
  counts,
  asOf,
  shown,
}: {
  counts: readonly StateCount[]
  asOf: Date
  shown?: WaitingState
}) {
  if (counts.length === 0) return <p className="quiet">No order waits.</p>
  return (
    <ul>
      {counts.map(({ status, count, oldest }) => (
        <li key={status}>
          <a href={`/console/orders?status=${status}`} aria-current={status === shown ? 'page' : undefined}>
            {plain(status)}
          </a>
          : {count}, the oldest for {age(asOf, oldest)}
        </li>
      ))}
    </ul>
  )
}
