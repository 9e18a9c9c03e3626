/** An order on the console: what was bought, what happened, and what an operator can do. */
import type { OperatorTask } from '../../../../db/operator-tasks.ts'
import type { OrderRow } from '../../../../db/order/orders.ts'
import { moment, money } from '../../../../mails/format.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../../workflows/order/order.contract.ts'
import { orderStates } from '../../../../workflows/order/order-states.ts'
import { partyName, plain } from '../../../views/plain.ts'
import type { TimelineEntry } from '../../../views/timeline/timeline-entry.ts'
import { toneOf } from '../../account/order-words.ts'
import { Facts } from '../../form.tsx'
import { type ConsoleFrame, renderConsolePage } from '../frame.tsx'
import { type ActLink, ActLinks, Section } from '../parts.tsx'
import { TaskTable } from '../tasks.tsx'
import { runLink } from '../temporal-links.ts'
import { Timeline } from '../timeline.tsx'

export interface OrderPage {
  order: OrderRow
  dueAt: Date | null
  esims: { id: string; provider: string; iccid: string; state: string; suspended: boolean; used: string }[]
  topUps: readonly string[]
  asOf: Date
  /** the open ones */
  tasks: readonly OperatorTask[]
  documents: readonly { number: string; kind: string }[]
  timeline: readonly TimelineEntry[]
  /** operators by the names that the security log gives them */
  operators: ReadonlyMap<string, string>
  acts: readonly ActLink[]
  /** with what can be done about each */
  disputes: readonly { id: string; state: string; about: string; acts: readonly ActLink[] }[]
}

function nextOf({ status }: OrderRow): string {
  const { waitsFor } = orderStates[status]
  return waitsFor === 'nothing' ? 'Nothing more is waited for' : `It waits for ${waitsFor}`
}

export function renderOrder(frame: ConsoleFrame, page: OrderPage): string {
  const { order, esims } = page
  const runs = [orderWorkflowId(order.id), orderAftercareWorkflowId(order.id)]
  return renderConsolePage(frame, {
    part: '/console/orders',
    title: `Order ${order.id.slice(0, 8)}`,
    children: (
      <>
        <section className="card">
          <div className="head">
            <h2>
              {order.quantity} × {order.package_name} ({order.destination})
            </h2>
            <span className={`badge ${toneOf(order.status)}`}>{plain(order.status)}</span>
          </div>
          <p>
            {money({ minor: order.gross_minor, currency: order.currency })}
            {order.reason ? `, ${plain(order.reason)}` : ''}. {nextOf(order)}
            {page.dueAt ? ` until ${moment(page.dueAt)}` : ''}. Bought by{' '}
            <a href={`/console/accounts/${order.account_id}`}>account {order.account_id.slice(0, 8)}</a>.
          </p>
          <ActLinks of={page.acts} at={`/console/orders/${order.id}`} />
        </section>
        {page.disputes.map((dispute) => (
          <section key={dispute.id} className="card">
            <div className="head">
              <h2>Dispute</h2>
              <span className={`badge ${dispute.acts.length > 0 ? 'attention' : 'over'}`}>{plain(dispute.state)}</span>
            </div>
            <p>
              {dispute.about} <code>{dispute.id}</code>
            </p>
            <ActLinks of={dispute.acts} at={`/console/orders/${order.id}/disputes/${dispute.id}`} />
          </section>
        ))}
        {page.tasks.length === 0 ? null : (
          <Section title="To be settled" count={page.tasks.length}>
            <TaskTable
              tasks={page.tasks}
              // Each is about this order.
              owners={new Map()}
              asOf={page.asOf}
              operators={page.operators}
              endsSteps={false}
            />
          </Section>
        )}
        <h2>What happened</h2>
        <Timeline entries={page.timeline} ui={frame.ui} operators={page.operators} />
        <h2>Numbers</h2>
        <Facts
          of={[
            ['Order', <code key="id">{order.id}</code>],
            ['Account', <code key="account">{order.account_id}</code>],
            [
              'Payment',
              order.payment_intent_id === null ? 'none' : <code key="payment">{order.payment_intent_id}</code>,
            ],
            ...page.documents.map(
              ({ number, kind }) =>
                [
                  plain(kind),
                  <a key={number} href={`/console/orders/${order.id}/documents/${number}`}>
                    {number} (PDF)
                  </a>,
                ] as const,
            ),
            ...(order.parent_order_id
              ? [
                  [
                    'Top-up of',
                    <a key="parent" href={`/console/orders/${order.parent_order_id}`}>
                      {order.parent_order_id}
                    </a>,
                  ] as const,
                ]
              : []),
            ...page.topUps.map(
              (id) =>
                [
                  'Topped up by',
                  <a key={id} href={`/console/orders/${id}`}>
                    {id}
                  </a>,
                ] as const,
            ),
            ...esims.map(
              (esim) =>
                [
                  `eSIM at ${partyName(esim.provider)}`,
                  `${esim.iccid}: ${plain(esim.state)}${esim.suspended && esim.state !== 'suspended' ? ', suspended' : ''}, ${esim.used}`,
                ] as const,
            ),
            [
              'Runs',
              runs.map((id) => {
                const link = runLink(frame.ui, id)
                return <div key={id}>{link ? <a href={link}>{id}</a> : <code>{id}</code>}</div>
              }),
            ],
          ]}
        />
      </>
    ),
  })
}
