/** G1, everybody can see their data: a person's eSIMs with their state and usage, and all orders. */
import type { Texts } from '../../../messages/texts.ts'
import { isUsable } from '../../../providers/esim.ts'
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'
import { Icon } from '../brand/icons.tsx'
import { type EsimLife, hasStarted, StateBadge, StateHelp, Usage, Validity } from '../install/esim-status.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { AccountNav, Card, Notice } from './frame.tsx'
import {
  boughtBy,
  type EsimPlace,
  esimName,
  type Holds,
  heldBy,
  meaningOf,
  type OrderLife,
  toneOf,
} from './order-words.ts'

export interface MyEsimsPage {
  notice: string | undefined
  /** the person's address, if mail to it comes back */
  deadAddress: string | undefined
  /** the newest first */
  orders: OrderLine[]
  /** where the orders are that are older than these; null: there are none */
  older: string | null
  /** these are older ones themselves */
  isOlder: boolean
}

export interface OrderLine extends OrderLife {
  id: string
  createdAt: Date
  holds: Holds
  destination: string
  minor: number
  currency: string
  installUrl: string | null
  esims: (EsimLife & { id: string; takesTopUps: boolean })[]
}

const holdsEsims: readonly OrderStatus[] = ['delivered', 'ended']
/** Paid, and not delivered yet: who looks for it must not think that it has to be bought again. */
const onTheWay: readonly OrderStatus[] = ['in_review', 'provisioning']

export function renderMyEsims({ notice, deadAddress, orders, older, isOlder }: MyEsimsPage, page: PageContext): string {
  const { texts } = page
  const { t, rich } = texts
  const held = orders
    .filter(({ status }) => holdsEsims.includes(status))
    .flatMap((order) => {
      const { esims } = order
      return esims.map((esim, index) => ({ order, esim, of: { number: index + 1, count: esims.length } }))
    })
  // Who is abroad looks for the one that they are using.
  const usable = held
    .filter(({ esim }) => isUsable(esim))
    .toSorted((a, b) => Number(hasStarted(b.esim)) - Number(hasStarted(a.esim)))
  const over = held.filter(({ esim }) => !isUsable(esim))
  const coming = orders.filter(({ status }) => onTheWay.includes(status))
  return renderLayout({
    ...page,
    title: t('common.myEsims'),
    ...(isOlder && { back: { href: '/account', label: t('account.esims.newest') } }),
    children: (
      <>
        <AccountNav texts={texts} current="/account" />
        <Notice texts={texts} of={notice} />
        {deadAddress === undefined ? null : (
          <p className="notice">
            {rich('account.esims.bounced', {
              address: deadAddress,
              link: (label) => <a href="/account/data">{label}</a>,
            })}
          </p>
        )}
        {coming.map((order) => (
          <ComingCard key={order.id} texts={texts} order={order} />
        ))}
        {usable.length + coming.length === 0 && !isOlder ? <p>{t('account.esims.none')}</p> : null}
        {usable.map((each) => (
          <EsimCard key={each.esim.id} texts={texts} {...each} />
        ))}
        {over.length > 0 ? (
          <details>
            <summary>{t('account.esims.earlier', { count: over.length })}</summary>
            {over.map((each) => (
              <EsimCard key={each.esim.id} texts={texts} {...each} />
            ))}
          </details>
        ) : null}
        {orders.length > 0 ? (
          <Card title={t('account.esims.orders')}>
            <Orders texts={texts} of={orders} />
            {older === null ? null : (
              <p>
                <a href={older}>{t('account.esims.older')}</a>
              </p>
            )}
          </Card>
        ) : null}
      </>
    ),
  })
}

interface EsimCardProps {
  texts: Texts
  order: OrderLine
  esim: OrderLine['esims'][number]
  of: EsimPlace
}

function EsimCard({ texts, order, esim, of }: EsimCardProps) {
  const { t } = texts
  const name = esimName(texts, order.destination, of)
  const isNew = esim.state === 'new'
  const install = t(isNew ? 'account.esims.install' : 'account.esims.codes')
  return (
    <section className="card">
      <div className="head">
        <h2>{name}</h2>
        <StateBadge texts={texts} esim={esim} />
      </div>
      <p className="quiet">{heldBy(texts, order.holds)}</p>
      <StateHelp texts={texts} esim={esim} takesTopUps={esim.takesTopUps} />
      <Validity texts={texts} esim={esim} days={order.holds.days} />
      {hasStarted(esim) ? <Usage texts={texts} esim={esim} name={name} /> : null}
      <p className="acts">
        {order.installUrl && isUsable(esim) ? (
          <a
            className={isNew ? 'button' : 'button plain'}
            href={`${order.installUrl}#esim-${of.number}`}
            aria-label={`${install}: ${name}`}
          >
            {install}
          </a>
        ) : null}
        {esim.takesTopUps ? (
          <a
            className="button plain"
            href={`/account/esims/${esim.id}/top-up`}
            aria-label={`${t('account.esims.addData')}: ${name}`}
          >
            {t('account.esims.addData')}
          </a>
        ) : null}
        <a
          className="button plain"
          href={`/account/orders/${order.id}`}
          aria-label={`${t('account.esims.order')}: ${name}`}
        >
          {t('account.esims.order')}
        </a>
      </p>
    </section>
  )
}

function nameOf(texts: Texts, order: OrderLine): string {
  const name = `${texts.place(order.destination)}, ${boughtBy(texts, order)}`
  return order.isTopUp ? texts.t('account.esims.topUp', { name }) : name
}

function ComingCard({ texts, order }: { texts: Texts; order: OrderLine }) {
  const { t } = texts
  const name = nameOf(texts, order)
  const place = texts.place(order.destination)
  return (
    <section className="card">
      <div className="head">
        <h2>{order.isTopUp ? t('purchase.topUp', { place }) : place}</h2>
        <span className={`badge ${toneOf(order.status)}`}>{t(`purchase.badge.${order.status}`)}</span>
      </div>
      <p className="quiet">{boughtBy(texts, order)}</p>
      <p>{meaningOf(texts, order)}</p>
      <p className="acts">
        <a
          className="button plain"
          href={`/account/orders/${order.id}`}
          aria-label={`${t('purchase.back.order')}: ${name}`}
        >
          {t('purchase.back.order')}
        </a>
      </p>
    </section>
  )
}

function Orders({ texts, of }: { texts: Texts; of: OrderLine[] }) {
  const { t, day, money } = texts
  return (
    <ul className="rows">
      {of.map((order) => (
        <li key={order.id}>
          <a href={`/account/orders/${order.id}`}>
            <Icon of="receipt" />
            <span className="grow">
              <strong>{nameOf(texts, order)}</strong>
              <br />
              <span className="quiet">
                {[day(order.createdAt), money(order), t(`purchase.badge.${order.status}`)].join('\u00a0· ')}
              </span>
            </span>
            <Icon of="forward" />
          </a>
        </li>
      ))}
    </ul>
  )
}
