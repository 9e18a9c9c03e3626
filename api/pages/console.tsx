/** The console's pages: operator tasks, held orders, privacy requests and open runs. */
import type { ReactNode } from 'react'
import { moment, money } from '../../mails/format.ts'
import { answerKinds } from '../../workflows/privacy-request.contract.ts'
import type { OpenRun } from '../runs/open-runs.ts'
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
  matters: { id: string; kind: string; subjectId: string; detail: string | null; openedAt: Date }[]
  reviews: {
    id: string
    packageName: string
    minor: number
    currency: string
    reason: string | null
    dueAt: Date | null
  }[]
  requests: { id: string; reference: string; kind: string; answerBy: Date; late: boolean }[]
  /** undefined while Temporal cannot list them */
  runs: OpenRun[] | undefined
  promises: { kept: number; broken: readonly string[]; unknown: readonly string[] }
}

export function renderConsole(page: ConsolePage): string {
  const { csrf, matters, reviews, requests, promises, runs } = page
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
        <Section title="Orders to review" count={reviews.length}>
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
        <Section title="Privacy requests" count={requests.length}>
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
        <Section title="To be settled" count={matters.length}>
          <Table heads={['Matter', 'About', 'Open', 'Settle']}>
            {matters.map((task) => (
              <tr key={task.id}>
                <td>{task.kind.replaceAll('_', ' ')}</td>
                <td>
                  <code>{task.subjectId}</code>
                  {task.detail ? `: ${task.detail}` : ''}
                </td>
                <td>since {moment(task.openedAt)}</td>
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
function Section({ title, count, children }: { title: string; count: number | undefined; children: ReactNode }) {
  return (
    <section>
      <h2>
        {title} ({count ?? '?'})
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

const pathOf = (uiUrl: string, namespace: string, { workflowId, runId }: OpenRun): string =>
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
