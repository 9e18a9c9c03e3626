/** The orders that wait, by what they wait for. */
import type { StateCount, WaitingState } from '../../../../db/operator/order-queue.ts'
import type { OrderRow } from '../../../../db/order/orders.ts'
import { moment, money } from '../../../../mails/format.ts'
import { esimProviderIds } from '../../../../policy/outside-parties.ts'
import { orderStates } from '../../../../workflows/order/order-states.ts'
import { partyName, plain } from '../../../views/plain.ts'
import { type ConsoleFrame, renderConsolePage } from '../frame.tsx'
import { age, counted, Options, Table } from '../parts.tsx'

/** How long they have waited at least. */
export const waitingHours = ['1', '24', '72', '168'] as const

/** The fields of the form as they were typed; an empty one limits nothing. */
export interface QueueFields {
  provider: string
  currency: string
  country: string
  hours: string
}

export interface OrdersPage {
  asOf: Date
  status: WaitingState
  filter: QueueFields
  counts: readonly StateCount[]
  orders: readonly { row: OrderRow; dueAt: Date | null }[]
  next: string | null
  /** the form that selects all of them for one act; null: no such form can */
  inBulk: string | null
}

export function renderOrders(frame: ConsoleFrame, page: OrdersPage): string {
  const { asOf, status, filter, counts, orders, next, inBulk } = page
  const count = counts.find((each) => each.status === status)?.count ?? 0
  return renderConsolePage(frame, {
    part: '/console/orders',
    title: `Orders: ${plain(status)} (${count}${orders.length < count ? `, ${orders.length} shown` : ''})`,
    children: (
      <>
        <QueueForm status={status} filter={filter} />
        <OrderCounts counts={counts} asOf={asOf} shown={status} filter={filter} />
        <p>They wait for {orderStates[status].waitsFor}; those that wait longest come first.</p>
        {inBulk === null || orders.length === 0 ? null : (
          <p>
            <a href={inBulk}>Select all of them for a bulk action</a>
          </p>
        )}
        {orders.length === 0 ? (
          <p className="quiet">
            No order waits for it{Object.values(filter).some(Boolean) ? ' that fits the filter' : ''}.
          </p>
        ) : (
          <Table heads={['Order', 'Bought', 'Why', 'Waits', 'Until']} stacks>
            {orders.map(({ row, dueAt }) => (
              <tr key={row.id}>
                <td className="what short">
                  <a href={`/console/orders/${row.id}`}>{row.id}</a>
                </td>
                <td>
                  {row.package_name}, {money({ minor: row.gross_minor, currency: row.currency })}
                </td>
                <td>{row.reason ? plain(row.reason) : ''}</td>
                <td>for {age(asOf, row.paid_at ?? row.created_at)}</td>
                <td className={dueAt && dueAt < asOf ? 'broken' : undefined}>
                  {dueAt && dueAt < asOf ? 'LATE, was due by ' : dueAt ? 'until ' : ''}
                  {dueAt ? moment(dueAt) : 'no day'}
                </td>
              </tr>
            ))}
          </Table>
        )}
        {next ? (
          <p>
            <a href={next}>Newer ones</a>
          </p>
        ) : null}
      </>
    ),
  })
}

function QueueForm({ status, filter }: { status: WaitingState; filter: QueueFields }) {
  return (
    <form method="get" action="/console/orders">
      <input type="hidden" name="status" value={status} />
      <div className="pairs">
        <label>
          Provider
          <select name="provider" defaultValue={filter.provider}>
            <option value="">all</option>
            <Options of={esimProviderIds} words={partyName} />
          </select>
        </label>
        <label>
          Currency
          <input
            name="currency"
            defaultValue={filter.currency}
            maxLength={3}
            pattern="[A-Za-z]{3}"
            title="three letters, such as EUR"
            placeholder="EUR"
          />
        </label>
        <label>
          Country of the card
          <input
            name="country"
            defaultValue={filter.country}
            maxLength={2}
            pattern="[A-Za-z]{2}"
            title="two letters, such as DE"
            placeholder="DE"
          />
        </label>
        <label>
          Waits for at least
          <select name="hours" defaultValue={filter.hours}>
            <option value="">any time</option>
            <Options
              of={waitingHours}
              words={(hours) => (Number(hours) < 24 ? `${hours} h` : counted(Number(hours) / 24, 'day'))}
            />
          </select>
        </label>
      </div>
      <button type="submit">Show</button>
    </form>
  )
}

/** How many orders wait, with a link to each queue. */
export function OrderCounts({
  counts,
  asOf,
  shown,
  filter,
}: {
  counts: readonly StateCount[]
  asOf: Date
  shown?: WaitingState
  filter?: QueueFields
}) {
  if (counts.length === 0) return <p className="quiet">No order waits.</p>
  return (
    <ul>
      {counts.map(({ status, count, oldest }) => (
        <li key={status}>
          <a
            href={`/console/orders?${new URLSearchParams({ ...filter, status })}`}
            aria-current={status === shown ? 'page' : undefined}
          >
            {plain(status)}
          </a>
          : {count}, the oldest for {age(asOf, oldest)}
        </li>
      ))}
    </ul>
  )
}
