/** G1: a person's eSIMs with their state and usage, and all orders. */
import { day, money, placeName } from '../../../mails/format.ts'
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'
import { Icon } from '../brand/icons.tsx'
import { type EsimLife, hasStarted, isUsable, StateBadge, Usage, Validity } from '../install/esim-status.tsx'
import { renderLayout } from '../layout.tsx'
import { AccountNav, Card, Notice } from './frame.tsx'
import { statusWords } from './order-words.ts'

export interface MyEsimsPage {
  supportMail: string
  notice: string | undefined
  /** the newest first */
  orders: OrderLine[]
  /** there are older orders than these */
  more: boolean
}

export interface OrderLine {
  id: string
  createdAt: Date
  packageName: string
  destination: string
  days: number
  isTopUp: boolean
  status: OrderStatus
  minor: number
  currency: string
  installUrl: string | null
  esims: (EsimLife & { id: string })[]
}

const holdsEsims: readonly OrderStatus[] = ['delivered', 'ended']

export function renderMyEsims({ supportMail, notice, orders, more }: MyEsimsPage): string {
  const held = orders
    .filter(({ status }) => holdsEsims.includes(status))
    .flatMap((order) => order.esims.map((esim, index) => ({ order, esim, index })))
  const usable = held.filter(({ esim }) => isUsable(esim))
  const over = held.filter(({ esim }) => !isUsable(esim))
  return renderLayout({
    title: 'My eSIMs',
    supportMail,
    children: (
      <>
        <AccountNav current="/account" />
        <Notice of={notice} />
        {usable.length === 0 ? <p>You have no eSIM that can be used now. The app sells them.</p> : null}
        {usable.map(({ order, esim, index }) => (
          <EsimCard key={esim.id} order={order} esim={esim} index={index} />
        ))}
        {over.length > 0 ? (
          <details>
            <summary>Earlier eSIMs ({over.length})</summary>
            {over.map(({ order, esim, index }) => (
              <EsimCard key={esim.id} order={order} esim={esim} index={index} />
            ))}
          </details>
        ) : null}
        {orders.length > 0 ? (
          <Card title="Orders and invoices">
            <Orders of={orders} />
            {more ? <p className="quiet">Older orders are in the export of your data.</p> : null}
          </Card>
        ) : null}
      </>
    ),
  })
}

interface EsimCardProps {
  order: OrderLine
  esim: MyEsimsPage['orders'][number]['esims'][number]
  index: number
}

function EsimCard({ order, esim, index }: EsimCardProps) {
  const place = placeName(order.destination)
  const name = order.esims.length === 1 ? place : `${place}, eSIM ${index + 1} of ${order.esims.length}`
  const isNew = esim.state === 'new'
  return (
    <section className="card">
      <div className="head">
        <h2>{name}</h2>
        <StateBadge esim={esim} />
      </div>
      <p className="quiet">{order.packageName}</p>
      <Validity esim={esim} days={order.days} />
      {hasStarted(esim) ? <Usage esim={esim} name={name} /> : null}
      <p>
        {order.installUrl && isUsable(esim) ? (
          <a
            className={isNew ? 'button' : 'button plain'}
            href={`${order.installUrl}#esim-${index + 1}`}
            aria-label={`${isNew ? 'Install it' : 'Codes and help'}: ${name}`}
          >
            {isNew ? 'Install it' : 'Codes and help'}
          </a>
        ) : null}
        <a className="button plain" href={`/account/orders/${order.id}`} aria-label={`Order and invoice: ${name}`}>
          Order and invoice
        </a>
      </p>
    </section>
  )
}

function Orders({ of }: { of: OrderLine[] }) {
  return (
    <ul className="rows">
      {of.map((order) => (
        <li key={order.id}>
          <a href={`/account/orders/${order.id}`}>
            <Icon of="receipt" />
            <span className="grow">
              <strong>
                {order.isTopUp ? 'Top-up: ' : null}
                {order.packageName}
              </strong>
              <br />
              <span className="quiet">
                {day(order.createdAt)}, {money({ minor: order.minor, currency: order.currency })},{' '}
                {statusWords[order.status].badge.toLowerCase()}
              </span>
            </span>
            <Icon of="forward" />
          </a>
        </li>
      ))}
    </ul>
  )
}
