/** The console's first page: what needs an operator, the most urgent first, and what the service is doing. */
import type { Outage } from '../../../db/operation/outside-parties.ts'
import type { StateCount } from '../../../db/operator/order-queue.ts'
import type { ServiceState } from '../../../db/operator/service-state.ts'
import type { TaskOwner } from '../../../db/operator/task-owners.ts'
import type { OperatorTask } from '../../../db/operator-tasks.ts'
import { moment, money } from '../../../mails/format.ts'
import { esimProviderIds } from '../../../policy/outside-parties.ts'
import type { ConsoleRun } from '../../runs/console-runs.ts'
import type { WedgedRun } from '../../runs/wedged-runs.ts'
import { partyName, plain } from '../../views/plain.ts'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { OrderCounts } from './orders/orders.tsx'
import { age, Section, Table } from './parts.tsx'
import { type ListedRequest, RequestTable } from './privacy-requests/privacy-requests.tsx'
import { State } from './service-state.tsx'
import { TaskTable } from './tasks.tsx'
import { runLink } from './temporal-links.ts'

export interface ConsolePage {
  /** the time of the page, against which ages are counted */
  asOf: Date
  outages: Outage[]
  /** undefined while Temporal cannot list them */
  wedged: WedgedRun[] | undefined
  /** one page of `count` tasks; `next` is the cursor of the page after */
  tasks: { count: number; next: string | null; items: OperatorTask[]; owners: ReadonlyMap<string, TaskOwner> }
  reviewCount: number
  reviews: {
    id: string
    packageName: string
    minor: number
    currency: string
    reason: string | null
    dueAt: Date | null
  }[]
  requestCount: number
  requests: readonly ListedRequest[]
  /** undefined while Temporal cannot list them */
  runs: ConsoleRun[] | undefined
  orderCounts: StateCount[]
  state: ServiceState
  backupIsLate: boolean
  operators: ReadonlyMap<string, string>
  /** whether the role may end the steps of deletions */
  endsSteps: boolean
  promises: { kept: number; broken: readonly string[]; unknown: readonly string[] }
}

export function renderConsole(frame: ConsoleFrame, page: ConsolePage): string {
  const { tasks, reviews, requests, promises, runs, outages, wedged, asOf } = page
  const hasNoProvider = esimProviderIds.every((provider) => outages.some(({ party }) => party === provider))
  return renderConsolePage(frame, {
    part: '/console',
    title: 'Operators’ console',
    children: (
      <>
        <p>
          Promises: <span className="kept">{promises.kept} kept</span>
          {promises.broken.length > 0 ? <span className="broken">, {promises.broken.join(', ')} broken</span> : null}
          {promises.unknown.length > 0 ? (
            <span className="unknown">, {promises.unknown.join(', ')} unknown</span>
          ) : null}
        </p>
        {hasNoProvider ? (
          <p className="broken" role="alert">
            Both eSIM providers are down: nothing can be delivered. A paid order is refunded an hour after its payment.
          </p>
        ) : null}
        {outages.length > 0 ? (
          <Section title="Outages" count={outages.length}>
            <Table heads={['Party', 'Down', 'Last failure', 'Orders waiting']}>
              {outages.map((outage) => (
                <tr key={outage.party}>
                  <td className="broken">{partyName(outage.party)}</td>
                  <td>
                    for {age(asOf, outage.since)}, since {moment(outage.since)}
                  </td>
                  <td>
                    <code>{outage.code}</code>
                  </td>
                  <td>
                    {outage.ordersWaiting ?? 'none can'}
                    {outage.ordersWaiting ? (
                      <>
                        {': '}
                        <a href="/console/orders?status=provisioning">all that wait</a>
                      </>
                    ) : null}
                  </td>
                </tr>
              ))}
            </Table>
          </Section>
        ) : null}
        {wedged?.length === 0 ? null : (
          <Section title="Wedged runs" count={wedged?.length}>
            <Table heads={['Workflow', 'Type', 'Run', 'Problem']}>
              {wedged?.map((run) => (
                <tr key={run.runId}>
                  <td>
                    <RunLink run={run} ui={frame.ui} />
                  </td>
                  <td>{run.type}</td>
                  <td>
                    <code>{run.runId}</code>
                  </td>
                  <td className="broken">{run.problem}</td>
                </tr>
              ))}
            </Table>
          </Section>
        )}
        <Section title="Orders to review" count={page.reviewCount} shown={reviews.length} order="the most urgent first">
          <Table heads={['Order', 'Why', 'Until', 'Decide']} stacks>
            {reviews.map((order) => (
              <tr key={order.id}>
                <td className="what">
                  <a href={`/console/orders/${order.id}`}>{order.id}</a>
                  <br />
                  {order.packageName}, {money({ minor: order.minor, currency: order.currency })}
                </td>
                <td>{plain(order.reason ?? '')}</td>
                <td>{order.dueAt ? `refunded by itself at ${moment(order.dueAt)}` : ''}</td>
                <td>
                  <a href={`/console/orders/${order.id}/approve`}>Approve</a>{' '}
                  <a href={`/console/orders/${order.id}/reject`}>Reject</a>
                </td>
              </tr>
            ))}
          </Table>
          <p>
            <a href="/console/orders?status=in_review">All orders in review</a>
          </p>
        </Section>
        <Section title="Orders that wait" count={page.orderCounts.reduce((sum, { count }) => sum + count, 0)}>
          <OrderCounts counts={page.orderCounts} asOf={asOf} />
        </Section>
        <Section
          title="Privacy requests"
          count={page.requestCount}
          shown={requests.length}
          order="the most urgent first"
        >
          <RequestTable of={requests} />
          <p>
            <a href="/console/privacy-requests">All privacy requests</a>
          </p>
        </Section>
        <Section title="To be settled" count={tasks.count} shown={tasks.items.length} order="the most urgent first">
          <TaskTable
            tasks={tasks.items}
            owners={tasks.owners}
            asOf={asOf}
            operators={page.operators}
            endsSteps={page.endsSteps}
          />
          {tasks.next ? (
            <p>
              <a href={`/console?tasks=${tasks.next}`}>Less urgent and newer ones</a>
            </p>
          ) : null}
        </Section>
        <Section title="Under way, or late" count={runs?.length}>
          <Table heads={['Workflow', 'Stage', 'Waits for', 'Until']}>
            {runs?.map((run) => (
              <tr key={run.runId}>
                <td>
                  <RunLink run={run} ui={frame.ui} />
                </td>
                <td>{plain(run.status)}</td>
                <td>{run.waitingFor}</td>
                <td className={run.late ? 'broken' : undefined}>
                  {run.late ? 'LATE, was due by ' : ''}
                  {run.dueAt ? moment(run.dueAt) : 'no day'}
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <section>
          <h2>State of the service</h2>
          <State of={page.state} asOf={asOf} backupIsLate={page.backupIsLate} />
        </section>
      </>
    ),
  })
}

function RunLink({ run, ui }: { run: Pick<ConsoleRun, 'workflowId' | 'runId'>; ui: ConsoleFrame['ui'] }) {
  const link = runLink(ui, run.workflowId, run.runId)
  return link ? <a href={link}>{run.workflowId}</a> : run.workflowId
}
