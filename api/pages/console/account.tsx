/** An account on the console. */
import type { OperatorActs, Sends } from '../../../db/connection/schema.ts'
import type { OperatorTask } from '../../../db/operator-tasks.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { moment, money } from '../../../mails/format.ts'
import { Facts } from '../form.tsx'
import { type ConsoleFrame, renderConsolePage } from './frame.tsx'
import { plain, Section, Table } from './parts.tsx'
import { accountRunsLink } from './temporal-links.ts'

export interface AccountPage {
  account: {
    id: string
    ref: string
    name: string
    email: string
    mailState: string
    phone: string | null
    promotions: boolean
    policyVersion: string
    createdAt: Date
    lastActiveAt: Date
  }
  orders: readonly OrderRow[]
  esims: readonly { id: string; orderId: string; provider: string; iccid: string; state: string }[]
  devices: readonly {
    platform: string
    model: string | null
    osVersion: string | null
    appVersion: string | null
    seenAt: Date
  }[]
  consents: readonly { granted: boolean; source: string; at: Date }[]
  requests: readonly { id: string; reference: string; kind: string; state: string; answerBy: Date }[]
  sends: readonly Pick<Sends, 'subject_id' | 'kind' | 'state' | 'code' | 'first_at' | 'done_at'>[]
  tasks: readonly OperatorTask[]
  acts: readonly OperatorActs[]
  operators: ReadonlyMap<string, string>
}

export function renderAccountPage(frame: ConsoleFrame, page: AccountPage): string {
  const { account, operators } = page
  const runs = accountRunsLink(frame.ui, account.ref)
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
        <p>
          <a className="button" href={`/console/accounts/${account.id}/note`}>
            Note
          </a>
        </p>
        <Section title="Orders" count={page.orders.length}>
          <Table heads={['Order', 'Bought', 'State', 'When']}>
            {page.orders.map((order) => (
              <tr key={order.id}>
                <td>
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
        </Section>
        <Section title="eSIMs" count={page.esims.length}>
          <Table heads={['ICCID', 'Provider', 'State', 'Order']}>
            {page.esims.map((esim) => (
              <tr key={esim.id}>
                <td>{esim.iccid}</td>
                <td>{esim.provider}</td>
                <td>{plain(esim.state)}</td>
                <td>
                  <a href={`/console/orders/${esim.orderId}`}>{esim.orderId.slice(0, 8)}</a>
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="Devices" count={page.devices.length}>
          <Table heads={['Device', 'App', 'Seen']}>
            {page.devices.map((device) => (
              <tr key={`${device.platform} ${device.seenAt.toISOString()} ${device.model}`}>
                <td>{[device.platform, device.model, device.osVersion].filter(Boolean).join(', ')}</td>
                <td>{device.appVersion ?? ''}</td>
                <td>{moment(device.seenAt)}</td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="Privacy requests" count={page.requests.length}>
          <Table heads={['Request', 'About', 'State', 'Answer by']}>
            {page.requests.map((request) => (
              <tr key={request.id}>
                <td>
                  <a href={`/console/privacy-requests/${request.id}`}>{request.reference}</a>
                </td>
                <td>{request.kind}</td>
                <td>{request.state}</td>
                <td>{moment(request.answerBy)}</td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="Tasks" count={page.tasks.length}>
          <Table heads={['Task', 'About', 'Opened', 'Closed']}>
            {page.tasks.map((task) => (
              <tr key={task.id}>
                <td>{plain(task.kind)}</td>
                <td>{task.subjectId}</td>
                <td>{moment(task.openedAt)}</td>
                <td>
                  {task.closedAt
                    ? `${moment(task.closedAt)}, ${operators.get(task.closedBy ?? '') ?? task.closedBy}`
                    : 'open'}
                </td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="What operators did" count={page.acts.length}>
          <Table heads={['When', 'Who', 'What', 'Why']}>
            {page.acts.map((act) => (
              <tr key={act.id}>
                <td>{moment(act.asked_at)}</td>
                <td>{operators.get(act.operator) ?? act.operator}</td>
                <td>
                  {plain(act.act).replaceAll('-', ' ')}
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
        </Section>
        <Section title="Messages" count={page.sends.length}>
          <Table heads={['Message', 'State', 'When']}>
            {page.sends.map((send) => (
              <tr key={`${send.subject_id} ${send.kind}`}>
                <td>{plain(send.kind.split(':').slice(0, 2).join(' '))}</td>
                <td className={send.state === 'failed' ? 'broken' : undefined}>
                  {send.state}
                  {send.code ? `: ${send.code}` : ''}
                </td>
                <td>{moment(send.done_at ?? send.first_at)}</td>
              </tr>
            ))}
          </Table>
        </Section>
        <Section title="Consents to promotions" count={page.consents.length}>
          <Table heads={['When', 'What', 'Where']}>
            {page.consents.map((consent) => (
              <tr key={consent.at.toISOString()}>
                <td>{moment(consent.at)}</td>
                <td>{consent.granted ? 'granted' : 'withdrawn'}</td>
                <td>{plain(consent.source)}</td>
              </tr>
            ))}
          </Table>
        </Section>
      </>
    ),
  })
}
