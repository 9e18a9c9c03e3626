/** An account on the console. */
import type { ReactNode } from 'react'
import type { Attention, OperatorActs, Sends } from '../../../db/connection/schema.ts'
import type { EmailChange } from '../../../db/email-changes.ts'
import type { TaskOwner } from '../../../db/operator/task-owners.ts'
import type { OperatorTask } from '../../../db/operator-tasks.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { moment, money } from '../../../mails/format.ts'
import { type Language, languageNames } from '../../../messages/languages.ts'
import { plain } from '../../views/plain.ts'
import type { AccountTimelineEntry } from '../../views/timeline/account-timeline.ts'
import { Facts } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { type ActLink, ActLinks, PageLinks, type PageOf, Section, Table } from './parts.tsx'
import { FoldedAdvice, TaskAbout } from './task-subject.tsx'
import { TaskActs } from './tasks.tsx'
import { accountRunsLink } from './temporal-links.ts'
import { Timeline } from './timeline.tsx'

export interface AccountPage {
  account: {
    id: string
    ref: string
    name: string
    email: string
    mailState: string
    phone: string | null
    promotions: boolean
    language: Language
    policyVersion: string
    createdAt: Date
    lastActiveAt: Date
  }
  timeline: PageOf<AccountTimelineEntry>
  orders: PageOf<OrderRow>
  esims: PageOf<{ id: string; orderId: string; provider: string; iccid: string; state: string }>
  devices: PageOf<{
    platform: string
    model: string | null
    osVersion: string | null
    appVersion: string | null
    seenAt: Date
  }>
  consents: PageOf<{ granted: boolean; source: string; at: Date }>
  requests: PageOf<{ id: string; reference: string; kind: string; state: string; answerBy: Date }>
  messages: PageOf<Pick<Sends, 'subject_id' | 'kind' | 'state' | 'code' | 'first_at' | 'done_at'>>
  tasks: PageOf<{ row: Attention; owner: TaskOwner | undefined; open: OperatorTask | undefined }>
  /** whether the role may end the steps of deletions */
  endsSteps: boolean
  acts: PageOf<OperatorActs>
  /** what can be done now */
  offered: readonly ActLink[]
  operators: ReadonlyMap<string, string>
}

export function renderAccountPage(frame: ConsoleFrame, page: AccountPage): string {
  const { account, operators } = page
  const runs = accountRunsLink(frame.ui, account.ref)
  const path = `/console/accounts/${account.id}`
  return renderConsolePage(frame, {
    title: `Account of ${account.name}`,
    children: (
      <>
        <Facts
          of={[
            ['Account', <code key="id">{account.id}</code>],
            [
              'E-mail',
              account.mailState === 'ok' ? (
                account.email
              ) : (
                <span key="email" className="broken">
                  {account.email}: mails come back
                </span>
              ),
            ],
            ['Phone', account.phone ?? 'none'],
            ['Language', languageNames[account.language]],
            ['Since', moment(account.createdAt)],
            ['Last active', moment(account.lastActiveAt)],
            ['Policy', account.policyVersion],
            ['Promotions', account.promotions ? 'agreed' : 'not agreed'],
            [
              'AccountRef',
              runs ? (
                <a key="runs" href={runs}>
                  {account.ref}
                </a>
              ) : (
                <code key="runs">{account.ref}</code>
              ),
            ],
          ]}
        />
        <ActLinks of={page.offered} at={path} />
        <List title="Orders" name="orders" of={page.orders} at={path}>
          <Table heads={['Order', 'Bought', 'State', 'When']} stacks>
            {page.orders.items.map((order) => (
              <tr key={order.id}>
                <td className="what short">
                  <a href={`/console/orders/${order.id}`}>{order.id}</a>
                </td>
                <td>
                  {order.package_name}, {money({ minor: order.gross_minor, currency: order.currency })}
                </td>
                <td>{plain(order.status)}</td>
                <td>{moment(order.created_at)}</td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="eSIMs" name="esims" of={page.esims} at={path}>
          <Table heads={['ICCID', 'Provider', 'State', 'Order']} stacks>
            {page.esims.items.map((esim) => (
              <tr key={esim.id}>
                <td className="what short">{esim.iccid}</td>
                <td>{esim.provider}</td>
                <td>{plain(esim.state)}</td>
                <td>
                  <a href={`/console/orders/${esim.orderId}`}>{esim.orderId.slice(0, 8)}</a>
                </td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="Tasks" name="tasks" of={page.tasks} at={path}>
          <Table heads={['Task', 'About', 'Opened', 'Do, or closed']} stacks>
            {page.tasks.items.map(({ row: task, owner, open }) => (
              <tr key={task.id}>
                <td className="what short">{plain(task.kind)}</td>
                <td>
                  <TaskAbout task={{ ...task, subjectId: task.subject_id }} owner={owner} />
                  {task.resolved_at ? null : <FoldedAdvice kind={task.kind} />}
                </td>
                <td>since {moment(task.opened_at)}</td>
                <td>
                  {open ? <TaskActs task={open} endsSteps={page.endsSteps} /> : null}
                  {task.resolved_at
                    ? `closed ${moment(task.resolved_at)}, ${operators.get(task.resolved_by ?? '') ?? task.resolved_by}`
                    : null}
                </td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="What happened" name="timeline" of={page.timeline} at={path}>
          <Timeline entries={page.timeline.items} ui={frame.ui} operators={operators} />
        </List>
        <List title="Devices" name="devices" of={page.devices} at={path}>
          <Table heads={['Device', 'App', 'Seen']} stacks>
            {page.devices.items.map((device) => (
              <tr key={`${device.platform} ${device.seenAt.toISOString()} ${device.model}`}>
                <td className="what short">
                  {[device.platform, device.model, device.osVersion].filter(Boolean).join(', ')}
                </td>
                <td>{device.appVersion ?? ''}</td>
                <td>{moment(device.seenAt)}</td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="Privacy requests" name="requests" of={page.requests} at={path}>
          <Table heads={['Request', 'About', 'State', 'Answer by']} stacks>
            {page.requests.items.map((request) => (
              <tr key={request.id}>
                <td className="what short">
                  <a href={`/console/privacy-requests/${request.id}`}>{request.reference}</a>
                </td>
                <td>{request.kind}</td>
                <td>{request.state}</td>
                <td>by {moment(request.answerBy)}</td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="What operators did" name="acts" of={page.acts} at={path}>
          <Table heads={['When', 'Who', 'What', 'Why']} stacks>
            {page.acts.items.map((act) => (
              <tr key={act.id}>
                <td>{moment(act.asked_at)}</td>
                <td>{operators.get(act.operator) ?? act.operator}</td>
                <td className="what short">
                  {plain(act.act)}
                  {act.subject ? ` ${act.subject}` : ''}
                  {act.order_id ? (
                    <>
                      {' '}
                      <a href={`/console/orders/${act.order_id}`}>{act.order_id.slice(0, 8)}</a>
                    </>
                  ) : null}
                  {
                    {
                      planned: ', planned',
                      asked: ', not known yet',
                      done: '',
                      refused: `, not done: ${plain(act.code ?? '')}`,
                    }[act.state]
                  }
                </td>
                <td>{act.reason}</td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="Messages" name="messages" of={page.messages} at={path}>
          <Table heads={['Message', 'State', 'When']} stacks>
            {page.messages.items.map((send) => (
              <tr key={`${send.subject_id} ${send.kind}`}>
                <td className="what short">{plain(send.kind.split(':').slice(0, 2).join(' '))}</td>
                <td className={send.state === 'failed' ? 'broken' : undefined}>
                  {send.state}
                  {send.code ? `: ${send.code}` : ''}
                </td>
                <td>{moment(send.done_at ?? send.first_at)}</td>
              </tr>
            ))}
          </Table>
        </List>
        <List title="Consents to promotions" name="consents" of={page.consents} at={path}>
          <Table heads={['When', 'What', 'Where']} stacks>
            {page.consents.items.map((consent) => (
              <tr key={consent.at.toISOString()}>
                <td>{moment(consent.at)}</td>
                <td className="what short">{consent.granted ? 'granted' : 'withdrawn'}</td>
                <td>{plain(consent.source)}</td>
              </tr>
            ))}
          </Table>
        </List>
      </>
    ),
  })
}

/** The change of address that an act is about. */
export function EmailChangeFacts({ change }: { change: EmailChange }) {
  return (
    <Facts
      of={[
        ['From', change.oldEmail ?? 'it is over'],
        ['To', change.newEmail ?? 'it is over'],
        ['Asked for', moment(change.requestedAt)],
        [
          'The new address',
          change.newConfirmedAt ? `agreed on ${moment(change.newConfirmedAt)}` : 'has not agreed yet',
        ],
        ['Ends by itself', moment(change.expiresAt)],
      ]}
    />
  )
}

/** A list of the account with its true count, page by page. */
function List({
  title,
  name,
  of,
  at,
  children,
}: {
  title: string
  name: string
  of: PageOf<unknown>
  at: string
  children: ReactNode
}) {
  return (
    <Section title={title} count={of.count} id={name}>
      {children}
      <PageLinks of={of} hrefOf={(number) => `${at}?${name}=${number}#${name}`} />
    </Section>
  )
}
