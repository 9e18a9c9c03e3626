/**
 * U2, paid means delivered or refunded, U3, messages, and U6, documents: the page of one order with its state, price,
 * refunds, documents and mails, and the acts that are still possible.
 */
import type { Texts } from '../../../messages/texts.ts'
import { languageOfConsent } from '../../../policy/withdrawal.ts'
import type { RefusedForm } from '../../http/route.ts'
import { Icon } from '../brand/icons.tsx'
import { Facts, FaultSummary, Form, formState } from '../form.tsx'
import { type PageContext, renderLayout } from '../layout.tsx'
import { Card, Notice } from './frame.tsx'
import {
  boughtBy,
  type EsimPlace,
  esimName,
  type Holds,
  type MailState,
  mailName,
  meaningOf,
  type OrderLife,
  type PayPage,
  refundState,
  refundWasRefused,
  toneOf,
} from './order-words.ts'

export interface OrderPage {
  csrf: string
  notice: string | undefined
  /** a form of this page that was refused */
  refused: RefusedForm | undefined
  order: OrderLife & {
    id: string
    holds: Holds
    destination: string
    minor: number
    currency: string
    createdAt: Date
    /** of a top-up: the eSIM that it is for */
    toppedUp: EsimPlace | undefined
  }
  /** where it is paid, if on Stripe's page and nothing is known to be paid */
  payPage: PayPage | null
  installUrl: string | null
  documents: { kind: 'invoice' | 'credit_note'; number: string; issuedOn: string }[]
  refunds: { state: string; minor: number }[]
  mails: { mail: string; state: MailState }[]
  consent: { version: string; text: string; at: string } | null
  can: { cancel: boolean; resend: boolean; return: boolean; withdrawUntil: Date | null }
  /** when the contract was withdrawn from */
  withdrawnAt: Date | null
  /** a new one for each page: a form that is sent twice is one request */
  once: string
}

export function renderOrder(of: OrderPage, page: PageContext): string {
  const { consent, order, refused } = of
  const { texts } = page
  const { t, rich, moment } = texts
  const path = `/account/orders/${order.id}`
  return renderLayout({
    ...page,
    title: order.isTopUp
      ? t('purchase.topUp', { place: esimName(texts, order.destination, order.toppedUp ?? onlyOne) })
      : t('purchase.order', { place: texts.place(order.destination) }),
    back: { href: '/account', label: t('common.myEsims') },
    hasFault: refused !== undefined,
    children: (
      <>
        <Notice texts={texts} of={of.notice} />
        <FaultSummary of={refused && formState(texts, refused)} />
        <State of={of} texts={texts} />
        <Documents of={of.documents} path={path} texts={texts} />
        <Mails of={of} path={path} texts={texts} />
        <GiveBack of={of} path={path} texts={texts} />
        {consent ? (
          <p className="quiet">
            {rich('purchase.agreed', {
              at: moment(new Date(consent.at)),
              text: consent.text,
              quote: (words) => <q lang={languageOfConsent(consent.version)}>{words}</q>,
            })}
          </p>
        ) : null}
      </>
    ),
  })
}

const onlyOne: EsimPlace = { number: 1, count: 1 }

interface PartProps {
  of: OrderPage
  texts: Texts
}

function State({ of: { order, refunds, payPage, installUrl, withdrawnAt }, texts }: PartProps) {
  const { t, money, moment } = texts
  const { status, currency } = order
  const confirming = payPage?.state === 'complete'
  return (
    <section className="card">
      <div className="head">
        <h2>{boughtBy(texts, order)}</h2>
        <span className={`badge ${toneOf(status)}`}>
          {t(confirming ? 'purchase.badge.confirming' : `purchase.badge.${status}`)}
        </span>
      </div>
      <p>{meaningOf(texts, order, payPage)}</p>
      {payPage?.state === 'unreachable' ? <p className="notice">{t('purchase.payLater')}</p> : null}
      {payPage?.url ? (
        <p>
          <a className="button" href={payPage.url}>
            {t('purchase.pay', { amount: money(order) })}
          </a>
        </p>
      ) : null}
      {installUrl && status === 'delivered' ? (
        <p>
          <a className="button" href={installUrl}>
            {t('purchase.open', { count: order.quantity })}
          </a>
        </p>
      ) : null}
      <Facts
        of={[
          [t('purchase.price'), money(order)],
          [t('purchase.ordered'), moment(order.createdAt)],
          ...(confirming
            ? []
            : [[t('purchase.paid'), order.paidAt ? moment(order.paidAt) : t('purchase.notPaid')] as const]),
          ...(order.deliveredAt ? ([[t('purchase.delivered'), moment(order.deliveredAt)]] as const) : []),
          ...refunds
            .filter(({ state }) => state !== refundWasRefused)
            .map(({ state, minor }) => {
              const words = t(`purchase.refund.${refundState(state)}`)
              return [
                t('purchase.refund'),
                t('purchase.refundIs', { amount: money({ minor, currency }), state: words }),
              ] as const
            }),
          ...(withdrawnAt ? ([[t('purchase.withdrawn'), moment(withdrawnAt)]] as const) : []),
          [t('purchase.number'), order.id],
        ]}
      />
    </section>
  )
}

interface DocumentsProps {
  of: OrderPage['documents']
  path: string
  texts: Texts
}

function Documents({ of, path, texts: { t, day } }: DocumentsProps) {
  if (of.length === 0) return null
  return (
    <Card title={t('purchase.documents')}>
      <ul className="rows">
        {of.map(({ kind, number, issuedOn }) => (
          <li key={number}>
            <a href={`${path}/documents/${number}`}>
              <Icon of="receipt" />
              <span className="grow">
                <strong>{t(`purchase.invoice.${kind}`, { number })}</strong>
                <br />
                <span className="quiet">{t('purchase.documentHint', { day: day(new Date(issuedOn)) })}</span>
              </span>
              <Icon of="forward" />
            </a>
          </li>
        ))}
      </ul>
    </Card>
  )
}

function Mails({ of: { mails, can, csrf, once }, path, texts: { t } }: PartProps & { path: string }) {
  if (mails.length === 0 && !can.resend) return null
  return (
    <Card title={t('purchase.mails')}>
      <ul>
        {mails.map(({ mail, state }, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: mails of one occasion have nothing else that tells them apart
          <li key={`${mail}-${index}`}>
            {t('purchase.mailIs', {
              mail: t(`purchase.mail.${mailName(mail)}`),
              state: t(`purchase.mailState.${state}`),
            })}
          </li>
        ))}
      </ul>
      {can.resend ? (
        <Form action={`${path}/resend`} csrf={csrf}>
          <input type="hidden" name="once" value={once} />
          <button type="submit" className="plain">
            {t('purchase.again')}
          </button>
        </Form>
      ) : null}
    </Card>
  )
}

/** Article 11a of Directive 2011/83/EU: the function to withdraw is there for the whole period, and easy to find. */
function GiveBack({ of: { can, csrf, order }, path, texts: { t, moment } }: PartProps & { path: string }) {
  if (!can.cancel && !can.withdrawUntil && !can.return) return null
  const count = order.quantity
  return (
    <Card title={t(order.deliveredAt ? 'purchase.returnTitle' : 'purchase.cancelTitle')}>
      {can.withdrawUntil ? (
        <>
          <p>{t('purchase.withdrawUntil', { at: moment(can.withdrawUntil), count })}</p>
          <Form action={`${path}/withdrawal`} csrf={csrf}>
            <button type="submit" className="plain">
              {t('purchase.withdraw')}
            </button>
          </Form>
        </>
      ) : null}
      {can.cancel && !order.paidAt ? (
        <Form action={`${path}/cancel`} csrf={csrf}>
          <button type="submit" className="plain">
            {t('purchase.cancel')}
          </button>
          <span className="hint">{t('purchase.cancelUnpaid')}</span>
        </Form>
      ) : null}
      {can.cancel && order.paidAt ? (
        <AskedFirst
          action={`${path}/cancel`}
          csrf={csrf}
          what={t('purchase.cancel')}
          does={t('purchase.cancelHint')}
          now={t('purchase.cancelNow')}
        />
      ) : null}
      {can.return && !can.withdrawUntil ? (
        <AskedFirst
          action={`${path}/return`}
          csrf={csrf}
          what={t('purchase.return', { count })}
          does={t('purchase.returnHint', { count })}
          now={t('purchase.returnNow')}
        />
      ) : null}
    </Card>
  )
}

interface AskedFirstProps {
  action: string
  csrf: string
  what: string
  does: string
  /** on its button */
  now: string
}

/** An act that takes away what was paid for. Its button is behind what it does, out of the way of the thumb. */
function AskedFirst({ action, csrf, what, does, now }: AskedFirstProps) {
  return (
    <details>
      <summary>{what}</summary>
      <p>{does}</p>
      <Form action={action} csrf={csrf}>
        <button type="submit" className="danger">
          {now}
        </button>
      </Form>
    </details>
  )
}
