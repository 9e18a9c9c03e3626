/** A bulk action: its report, which is the report of an incident as well, and the steps that are possible now. */
import type { BulkChange } from '../../../db/operator/bulk-actions.ts'
import { moment, money } from '../../../mails/format.ts'
import { type BulkAct, bulkActionWorkflowId } from '../../../workflows/order/bulk-action.contract.ts'
import type { BulkActionView, BulkOrderView } from '../../views/bulk-action-view.ts'
import { partyName, plain } from '../../views/plain.ts'
import { Facts } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { age, Button, counted, Section, Table } from './parts.tsx'
import { runLink } from './temporal-links.ts'

/** What each act is called, and what it does. */
export const actWords: Record<BulkAct, { label: string; does: string }> = {
  retry: { label: 'Retry at once', does: 'elsewhere where a provider certainly holds nothing' },
  refund: { label: 'Refund in full', does: 'what is not delivered is cancelled' },
  apologise: { label: 'Apologise', does: 'by a mail, once' },
}

export const operatorName = (operators: ReadonlyMap<string, string>, operator: string): string =>
  operators.get(operator) ?? operator

export interface BulkActionPage {
  report: BulkActionView
  orders: readonly BulkOrderView[]
  operators: ReadonlyMap<string, string>
  mayAct: boolean
  /** whether another operator has prepared it */
  isOther: boolean
  asOf: Date
  next: string | null
}

export function renderBulkAction(frame: ConsoleFrame, page: BulkActionPage): string {
  const { report, operators, orders, asOf } = page
  const run = report.startedAt === null ? undefined : runLink(frame.ui, bulkActionWorkflowId(report.id))
  const { planned, trying, unknown, done, refused, erased } = report.outcomes
  const until = report.endedAt ? new Date(report.endedAt) : asOf
  return renderConsolePage(frame, {
    part: '/console/bulk-actions',
    title: `Bulk action: ${report.act}, ${counted(report.orderCount, 'order')}, ${report.state}`,
    back: { href: '/console/bulk-actions', label: 'Bulk actions' },
    children: (
      <>
        <section className="card">
          <div className="head">
            <h2>
              {done + refused} of {counted(report.orderCount, 'order')} done or refused
            </h2>
            <span className={`badge ${tones[report.state]}`}>{report.state}</span>
          </div>
          <progress value={done + refused} max={report.orderCount || 1} aria-label="Orders that are done or refused" />
          <p>{report.reason}</p>
          <Steps frame={frame} page={page} />
        </section>
        <h2>What it does</h2>
        <Facts
          of={[
            ['Act', `${actWords[report.act].label}: ${actWords[report.act].does}`],
            ['Orders', selectionOf(report)],
            ['Worth', sums(report.worth)],
            ...(report.act === 'refund'
              ? ([
                  ['To refund', sums(report.toGiveBack)],
                  ['Refunded by it', sums(report.givenBack)],
                ] as const)
              : []),
            ['Prepared', `${moment(new Date(report.preparedAt))} by ${operatorName(operators, report.preparedBy)}`],
            [
              'Started',
              report.startedAt && report.startedBy
                ? `${moment(new Date(report.startedAt))} by ${operatorName(operators, report.startedBy)}`
                : 'not yet',
            ],
            ...(report.startedAt
              ? ([
                  ['Ended', report.endedAt ? moment(new Date(report.endedAt)) : 'not yet'],
                  ['Took', age(until, new Date(report.startedAt))],
                ] as const)
              : []),
          ]}
        />
        {run ? (
          <p>
            <a href={run}>Its run in Temporal</a>
          </p>
        ) : null}
        {report.changes.length > 0 ? (
          <Section title="What operators did with it" count={report.changes.length}>
            <Table heads={['When', 'Who', 'What', 'Why']} stacks>
              {report.changes.map((change) => (
                <tr key={change.id}>
                  <td>{moment(new Date(change.at))}</td>
                  <td>{operatorName(operators, change.operator)}</td>
                  <td className={change.outcome === 'done' ? 'what short' : 'what short broken'}>
                    {change.change}
                    {outcomeWords(change)}
                  </td>
                  <td>{change.reason}</td>
                </tr>
              ))}
            </Table>
          </Section>
        ) : null}
        <h2>Outcomes</h2>
        <ul>
          <li>{done} done</li>
          <li className={refused > 0 ? 'broken' : undefined}>
            {refused} not done{report.refusals.length > 0 ? ': ' : ''}
            {report.refusals.map(({ code, count }) => `${count} ${plain(code)}`).join(', ')}
          </li>
          {report.givenBackElsewhere.map(({ count, ...by }) => (
            <li key={`${by.bulkActionId} ${by.operator}`}>
              {count} of them had been refunded <Elsewhere by={by} operators={operators} />
            </li>
          ))}
          <li className={unknown > 0 ? 'broken' : undefined}>{unknown} not known</li>
          <li>{trying} being tried</li>
          <li>{planned} planned</li>
          {erased > 0 ? <li>{erased} of people who were erased since</li> : null}
        </ul>
        <p>
          Now they are: {report.statuses.map(({ status, count }) => `${count} ${plain(status)}`).join(', ') || 'none'}
        </p>
        <Section title="Orders" count={report.orderCount - erased} shown={orders.length}>
          <Table heads={['Order', 'Price', 'Outcome', 'Tries', 'When', 'Now']} stacks>
            {orders.map((order) => (
              <tr key={order.orderId}>
                <td className="what short">
                  <a href={`/console/orders/${order.orderId}`}>{order.orderId}</a>
                </td>
                <td className="amount">{money({ minor: order.grossMinor, currency: order.currency })}</td>
                <td className={order.outcome === 'refused' || order.outcome === 'unknown' ? 'broken' : undefined}>
                  {order.outcome}
                  {order.code && order.outcome !== 'done' ? `: ${plain(order.code)}` : ''}
                  {order.givenBackElsewhere ? (
                    <>
                      , <Elsewhere by={order.givenBackElsewhere} operators={operators} />
                    </>
                  ) : null}
                </td>
                <td className="amount">{order.tries === 1 ? '1 try' : `${order.tries} tries`}</td>
                <td>{order.at ? moment(new Date(order.at)) : ''}</td>
                <td>{plain(order.status)}</td>
              </tr>
            ))}
          </Table>
        </Section>
        {page.next ? (
          <p>
            <a href={page.next}>More orders</a>
          </p>
        ) : null}
      </>
    ),
  })
}

/** A state in which an operator has to act looks different from one that is over. */
const tones: Record<BulkActionView['state'], string> = {
  prepared: 'attention',
  running: '',
  paused: 'attention',
  done: 'over',
  cancelled: 'over',
}

/** Who has given the money of an order back, where this bulk action has not. */
function Elsewhere({
  by: { bulkActionId, operator },
  operators,
}: {
  by: NonNullable<BulkOrderView['givenBackElsewhere']>
  operators: ReadonlyMap<string, string>
}) {
  if (operator === null) return <>at the request of the customer, or by the order’s own run</>
  const name = operatorName(operators, operator)
  if (bulkActionId === null) return <>by {name}</>
  return (
    <>
      by <a href={`/console/bulk-actions/${bulkActionId}`}>another bulk action</a> of {name}
    </>
  )
}

/** Buttons for the steps that are possible now. */
function Steps({ frame: { csrf }, page: { report, mayAct, isOther } }: { frame: ConsoleFrame; page: BulkActionPage }) {
  if (!mayAct) return null
  const at = `/console/bulk-actions/${report.id}`
  const link = (change: BulkChange, danger = false) => (
    <a className={`button ${danger ? 'risky' : 'plain'}`} href={`${at}/${change}`}>
      {bulkChangeWords[change].label}
    </a>
  )
  if (report.state === 'prepared') {
    return (
      <div className="acts">
        {report.needsSecondOperator && !isOther ? (
          'The sum is above the limit: another operator has to start it. '
        ) : (
          <Button
            action={`${at}/start`}
            csrf={csrf}
            label={`Start: ${report.act} ${counted(report.orderCount, 'order')}`}
            danger={report.act === 'refund'}
          />
        )}{' '}
        {link('cancel')}
      </div>
    )
  }
  if (report.state !== 'running' && report.state !== 'paused') return null
  return (
    <p className="acts">
      {link(report.state === 'running' ? 'pause' : 'resume')} {link('cancel', true)}
    </p>
  )
}

/** What each change is called, and what it does. */
export const bulkChangeWords: Record<BulkChange, { label: string; does: string; danger: boolean }> = {
  pause: {
    label: 'Pause',
    does: 'No further order is acted upon until it is resumed. The order that is being acted upon is finished.',
    danger: false,
  },
  resume: { label: 'Resume', does: 'It goes on with the orders whose turn has not come.', danger: false },
  cancel: {
    label: 'Cancel',
    does: 'It ends for good: the orders whose turn has not come are left as they are. What is done stays done.',
    danger: true,
  },
}

const outcomeWords = ({ outcome, code }: BulkActionView['changes'][number]): string =>
  ({ asked: ', not known yet', done: '', refused: `, not done: ${plain(code ?? '')}` })[outcome]

function selectionOf({ selection, orderCount }: BulkActionView): string {
  const { statuses, provider, paidFrom, paidUntil, sameOrdersAs } = selection
  const parts = [
    statuses && `that were ${statuses.map(plain).join(' or ')}`,
    provider && `for which ${partyName(provider)} was asked`,
    paidFrom && `paid from ${moment(new Date(paidFrom))}`,
    paidUntil && `paid until ${moment(new Date(paidUntil))}`,
    sameOrdersAs && `of bulk action ${sameOrdersAs}`,
  ].filter(Boolean)
  return `${orderCount} ${parts.join(', ')}`
}

const sums = (of: readonly { currency: string; minor: number }[]): string =>
  of.map(({ minor, currency }) => money({ minor, currency })).join(', ') || 'nothing'
