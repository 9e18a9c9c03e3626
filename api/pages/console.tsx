/** The console's pages: operator tasks, held orders, privacy requests and open runs. */
import type { ReactNode } from 'react'
import type { Outage } from '../../db/operation/outside-parties.ts'
import type { OperatorTask, TaskAttributes } from '../../db/operator-tasks.ts'
import { moment, money } from '../../mails/format.ts'
import { outsideParties } from '../../policy/outside-parties.ts'
import { answerKinds } from '../../workflows/privacy-request.contract.ts'
import type { OpenRun } from '../runs/open-runs.ts'
import type { WedgedRun } from '../runs/wedged-runs.ts'
import { Facts, Form, Heads } from './form.tsx'
import { renderLayout } from './layout.tsx'

export function renderConsoleSignIn(supportMail: string): string {
  return renderLayout({
    title: 'Operators’ console',
    supportMail,
    children: (
      <Form action="/console/sign-in">
        <label>
          Your operator key
          <input type="password" name="key" required autoComplete="off" />
        </label>
        <button type="submit">Sign in</button>
      </Form>
    ),
  })
}

export interface ConsolePage {
  supportMail: string
  csrf: string
  /** the name of the operator key */
  label: string
  uiUrl: string | undefined
  namespace: string
  /** the time of the page, against which ages are counted */
  asOf: Date
  outages: Outage[]
  /** undefined while Temporal cannot list them */
  wedged: WedgedRun[] | undefined
  /** one page of `count` tasks; `next` is the cursor of the page after */
  tasks: { count: number; next: string | null; items: OperatorTask[] }
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
  requests: { id: string; reference: string; kind: string; answerBy: Date; late: boolean }[]
  /** undefined while Temporal cannot list them */
  runs: OpenRun[] | undefined
  promises: { kept: number; broken: readonly string[]; unknown: readonly string[] }
}

export function renderConsole(page: ConsolePage): string {
  const { csrf, tasks, reviews, requests, promises, runs, outages, wedged, asOf } = page
  const hasNoProvider = esimProviders.every((provider) => outages.some(({ party }) => party === provider))
  return renderLayout({
    title: 'Operators’ console',
    supportMail: page.supportMail,
    children: (
      <>
        <nav>
          <a href="/console/promises">Promises</a>
          <a href="/docs">API</a>
          {page.uiUrl ? <a href={page.uiUrl}>Workflows</a> : null}
        </nav>
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
                  <td className="broken">{nameOf(outage.party)}</td>
                  <td>
                    for {age(asOf, outage.since)}, since {moment(outage.since)}
                  </td>
                  <td>
                    <code>{outage.code}</code>
                  </td>
                  <td>{outage.ordersWaiting ?? 'none can'}</td>
                </tr>
              ))}
            </Table>
          </Section>
        ) : null}
        {wedged?.length === 0 ? null : (
          <Section title="Runs that stand still" count={wedged?.length}>
            <Table heads={['Workflow', 'Type', 'Run', 'Problem']}>
              {wedged?.map((run) => (
                <tr key={run.runId}>
                  <td>
                    {page.uiUrl ? (
                      <a href={pathOf(page.uiUrl, page.namespace, run)}>{run.workflowId}</a>
                    ) : (
                      run.workflowId
                    )}
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
        <Section title="Orders to review" count={page.reviewCount} shown={reviews.length}>
          <Table heads={['Order', 'Why', 'Until', 'Decide']}>
            {reviews.map((order) => (
              <tr key={order.id}>
                <td>
                  <code>{order.id}</code>
                  <br />
                  {order.packageName}, {money({ minor: order.minor, currency: order.currency })}
                </td>
                <td>{order.reason?.replaceAll('_', ' ')}</td>
                <td>{order.dueAt ? `refunded by itself at ${moment(order.dueAt)}` : ''}</td>
                <td>
                  <Button action={`/console/orders/${order.id}/approve`} csrf={csrf} label="Approve" of={order.id} />
                  <Button
                    action={`/console/orders/${order.id}/reject`}
                    csrf={csrf}
                    label="Reject"
                    of={order.id}
                    danger
                  />
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="Privacy requests" count={page.requestCount} shown={requests.length}>
          <Table heads={['Request', 'About', 'Answer']}>
            {requests.map((request) => (
              <tr key={request.id}>
                <td>
                  <a href={`/console/privacy-requests/${request.id}`}>{request.reference}</a>
                </td>
                <td>{request.kind}</td>
                <td className={request.late ? 'broken' : undefined}>
                  {request.late ? 'LATE, was due by' : 'by'} {moment(request.answerBy)}
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="To be settled" count={tasks.count} shown={tasks.items.length}>
          <Table heads={['Task', 'About', 'Open', 'Due', 'Owner', 'Note', 'Settle']}>
            {tasks.items.map((task) => (
              <tr key={task.id}>
                <td className={task.urgency === 'now' ? 'broken' : undefined}>
                  {task.kind.replaceAll('_', ' ')}
                  <br />
                  <span className="quiet">{task.urgency.replaceAll('_', ' ')}</span>
                </td>
                <td>
                  <code>{task.subjectId}</code>
                  {task.detail ? `: ${task.detail}` : ''}
                  {task.attributes ? <Attributes of={task.attributes} /> : null}
                </td>
                <td>
                  for {age(asOf, task.openedAt)}, since {moment(task.openedAt)}
                </td>
                <td className={task.dueAt && task.dueAt < asOf ? 'broken' : undefined}>
                  {task.dueAt && task.dueAt < asOf ? 'LATE, was due by ' : ''}
                  {task.dueAt ? moment(task.dueAt) : 'no day'}
                </td>
                <td>
                  {task.owner ? (
                    <>
                      <code>{task.owner}</code>
                      {task.takenAt ? ` for ${age(asOf, task.takenAt)}` : ''}
                    </>
                  ) : (
                    'nobody'
                  )}
                  <Button
                    action={`/console/attention/${task.id}/take`}
                    csrf={csrf}
                    label="Take"
                    of={`${task.kind.replaceAll('_', ' ')}, ${task.subjectId}`}
                  />
                </td>
                <td>
                  <Form action={`/console/attention/${task.id}/note`} csrf={csrf}>
                    <input
                      name="note"
                      defaultValue={task.note ?? ''}
                      maxLength={500}
                      required
                      aria-label={`Note, without personal data: ${task.kind.replaceAll('_', ' ')}, ${task.subjectId}`}
                    />
                    <button type="submit" className="plain">
                      Note
                    </button>
                  </Form>
                </td>
                <td>
                  <Button
                    action={`/console/attention/${task.id}/settle`}
                    csrf={csrf}
                    label="Settled"
                    of={`${task.kind.replaceAll('_', ' ')}, ${task.subjectId}`}
                  />
                </td>
              </tr>
            ))}
          </Table>
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
                  {page.uiUrl ? <a href={pathOf(page.uiUrl, page.namespace, run)}>{run.workflowId}</a> : run.workflowId}
                </td>
                <td>{run.status.replaceAll('_', ' ')}</td>
                <td>{run.waitingFor}</td>
                <td className={run.late ? 'broken' : undefined}>
                  {run.late ? 'LATE, was due by ' : ''}
                  {run.dueAt ? moment(run.dueAt) : 'no day'}
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <p className="quiet">Signed in with the key “{page.label}”. Everything done here is in the security log.</p>
        <Button action="/console/sign-out" csrf={csrf} label="Sign out" />
      </>
    ),
  })
}

/** What an operator has to know to settle a task. */
function Attributes({ of: { amountMinor, currency, ...others } }: { of: TaskAttributes }) {
  const amount =
    typeof amountMinor === 'number' && typeof currency === 'string' ? money({ minor: amountMinor, currency }) : null
  const facts = Object.entries(others).flatMap(([name, value]) =>
    value === null ? [] : [`${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)} ${value}`],
  )
  return (
    <>
      <br />
      {[...(amount ? [amount] : []), ...facts].join(', ')}
    </>
  )
}

export interface RequestPage {
  supportMail: string
  csrf: string
  request: {
    id: string
    reference: string
    kind: string
    state: string
    accountId: string | null
    receivedAt: Date
    answerBy: Date
    message: string
    replyTo: string | null
    answer: string | null
    answerKind: string | null
  }
}

/** G6: a request, and the form that answers it. */
export function renderRequest({ supportMail, csrf, request }: RequestPage): string {
  return renderLayout({
    title: `Privacy request ${request.reference}`,
    supportMail,
    children: (
      <>
        <p>
          <a href="/console">Console</a>
        </p>
        <Facts
          of={[
            ['About', request.kind],
            ['State', request.state],
            ['Received', moment(request.receivedAt)],
            ['Answer by', moment(request.answerBy)],
            ['Account', request.accountId ?? 'none'],
            ['Answer to', request.replyTo ?? "the account's address"],
          ]}
        />
        <h2>What was asked</h2>
        <pre>{request.message}</pre>
        {request.answer || request.state === 'answered' ? (
          <>
            <h2>What was answered</h2>
            <p>{request.answerKind}</p>
            <pre>{request.answer ?? 'Answered elsewhere.'}</pre>
          </>
        ) : (
          <Form action={`/console/privacy-requests/${request.id}/resolve`} csrf={csrf}>
            <h2>Answer</h2>
            <label>
              Outcome
              <select name="answerKind">
                {answerKinds.map((kind) => (
                  <option key={kind} value={kind}>
                    {kind.replaceAll('_', ' ')}
                  </option>
                ))}
              </select>
            </label>
            <label>
              Mailed to the person; leave it empty if they were answered elsewhere
              <textarea name="answer" maxLength={20_000} />
            </label>
            <button type="submit">Answer</button>
          </Form>
        )}
      </>
    ),
  })
}

/** @param count undefined when it is unknown */
function Section({
  title,
  count,
  shown,
  children,
}: {
  title: string
  count: number | undefined
  /** how many of them are listed; by default all */
  shown?: number
  children: ReactNode
}) {
  const isPart = count !== undefined && shown !== undefined && shown < count
  return (
    <section>
      <h2>
        {title} ({count ?? '?'}
        {isPart ? `, ${shown} shown, the most urgent first` : ''})
      </h2>
      {count === undefined ? <p className="unknown">It cannot be read now.</p> : null}
      {count === 0 ? <p className="quiet">Nothing.</p> : null}
      {count ? children : null}
    </section>
  )
}

function Table({ heads, children }: { heads: readonly string[]; children: ReactNode }) {
  return (
    <div className="scroll">
      <table>
        <Heads of={heads} />
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

const esimProviders = ['esim-access', 'airalo']

const nameOf = (party: string): string =>
  party in outsideParties ? outsideParties[party as keyof typeof outsideParties] : party

/** The time between two moments, in its largest unit. */
function age(asOf: Date, since: Date): string {
  const minutes = Math.max(0, Math.floor((asOf.getTime() - since.getTime()) / 60_000))
  if (minutes < 120) return `${minutes} min`
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / (24 * 60))} days`
}

const pathOf = (
  uiUrl: string,
  namespace: string,
  { workflowId, runId }: Pick<OpenRun, 'workflowId' | 'runId'>,
): string =>
  new URL(`namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}/${runId}`, uiUrl.replace(/\/?$/, '/'))
    .href

function Button({
  action,
  csrf,
  label,
  of,
  danger = false,
}: {
  action: string
  csrf: string
  label: string
  /** for screen readers: tells the button from others with the same label */
  of?: string
  danger?: boolean
}) {
  return (
    <Form action={action} csrf={csrf} inline>
      <button
        type="submit"
        className={danger ? 'danger' : 'plain'}
        aria-label={of === undefined ? undefined : `${label}: ${of}`}
      >
        {label}
      </button>
    </Form>
  )
}
