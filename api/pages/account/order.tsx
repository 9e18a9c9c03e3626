/** U2, U3, U6: one order of a person: state, price, refunds, documents, mails, and what they can still do about it. */
import { day, moment, money, placeName } from '../../../mails/format.ts'
import { withdrawalLabels } from '../../../policy/withdrawal.ts'
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'
import type { RefusedForm } from '../../http/route.ts'
import { Icon } from '../brand/icons.tsx'
import { Facts, FaultSummary, Form, formState } from '../form.tsx'
import { renderLayout } from '../layout.tsx'
import { Card, Notice } from './frame.tsx'
import { mailName, mailStates, refundWasRefused, refundWords, statusWords } from './order-words.ts'

export interface OrderPage {
  supportMail: string
  csrf: string
  notice: string | undefined
  /** a form of this page that was refused */
  refused: RefusedForm | undefined
  order: {
    id: string
    packageName: string
    destination: string
    quantity: number
    isTopUp: boolean
    status: OrderStatus
    minor: number
    currency: string
    createdAt: Date
    paidAt: Date | null
    deliveredAt: Date | null
  }
  installUrl: string | null
  documents: { kind: 'invoice' | 'credit_note'; number: string; issuedOn: string }[]
  refunds: { state: string; minor: number }[]
  mails: { mail: string; state: keyof typeof mailStates }[]
  consent: { text: string; at: string } | null
  can: { cancel: boolean; resend: boolean; return: boolean; withdrawUntil: Date | null }
  /** when the contract was withdrawn from */
  withdrawnAt: Date | null
  /** a new one for each page: a form that is sent twice is one request */
  once: string
}

const documentNames = { invoice: 'Invoice', credit_note: 'Credit note' } as const

export function renderOrder(page: OrderPage): string {
  const { order, refused, installUrl } = page
  const words = statusWords[order.status]
  const path = `/account/orders/${order.id}`
  const refunds = page.refunds.filter(({ state }) => state !== refundWasRefused)
  return renderLayout({
    title: `${order.isTopUp ? 'Top-up' : 'Order'}: ${placeName(order.destination)}`,
    supportMail: page.supportMail,
    back: { href: '/account', label: 'My eSIMs' },
    hasFault: refused !== undefined,
    children: (
      <>
        <Notice of={page.notice} />
        <FaultSummary of={refused && formState(refused, {})} />
        <section className="card">
          <div className="head">
            <h2>{order.packageName}</h2>
            <span className={`badge ${words.tone}`}>{words.badge}</span>
          </div>
          <p>{words.meaning}</p>
          <Facts
            of={[
              ['Price', money(order)],
              ...(order.quantity > 1 ? ([['eSIMs', order.quantity]] as const) : []),
              ['Ordered', moment(order.createdAt)],
              ['Paid', order.paidAt ? moment(order.paidAt) : 'not yet'],
              ...(order.deliveredAt ? ([['Delivered', moment(order.deliveredAt)]] as const) : []),
              ...refunds.map(
                ({ state, minor }) =>
                  ['Refund', `${money({ minor, currency: order.currency })}: ${refundWords(state)}`] as const,
              ),
              ...(page.withdrawnAt ? ([['Withdrawn', moment(page.withdrawnAt)]] as const) : []),
              ['Order number', order.id],
            ]}
          />
          {installUrl && order.status === 'delivered' ? (
            <p>
              <a className="button" href={installUrl}>
                Open the eSIM
              </a>
            </p>
          ) : null}
        </section>
        {page.documents.length > 0 ? (
          <Card title="Invoice">
            <ul className="rows">
              {page.documents.map(({ kind, number, issuedOn }) => (
                <li key={number}>
                  <a href={`${path}/documents/${number}`}>
                    <Icon of="receipt" />
                    <span className="grow">
                      <strong>
                        {documentNames[kind]} {number}
                      </strong>
                      <br />
                      <span className="quiet">{day(new Date(issuedOn))}, to print or as PDF</span>
                    </span>
                    <Icon of="forward" />
                  </a>
                </li>
              ))}
            </ul>
          </Card>
        ) : null}
        {page.mails.length > 0 || page.can.resend ? (
          <Card title="Mails">
            <ul>
              {page.mails.map(({ mail, state }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: mails of one occasion have nothing else that tells them apart
                <li key={`${mail}-${index}`}>
                  {mailName(mail)}: {mailStates[state]}
                </li>
              ))}
            </ul>
            {page.can.resend ? (
              <Form action={`${path}/resend`} csrf={page.csrf}>
                <input type="hidden" name="once" value={page.once} />
                <button type="submit" className="plain">
                  Mail me the eSIM again
                </button>
              </Form>
            ) : null}
          </Card>
        ) : null}
        <GiveBack page={page} path={path} />
        {page.consent ? (
          <p className="quiet">
            When you ordered on {moment(new Date(page.consent.at))} you agreed: “{page.consent.text}”
          </p>
        ) : null}
      </>
    ),
  })
}

/** Article 11a of Directive 2011/83/EU: the function to withdraw is there for the whole period, and easy to find. */
function GiveBack({ page: { can, csrf }, path }: { page: OrderPage; path: string }) {
  if (!can.cancel && !can.withdrawUntil && !can.return) return null
  return (
    <Card title="Give it back">
      {can.withdrawUntil ? (
        <>
          <p>You can withdraw until {moment(can.withdrawUntil)} while the eSIM is unused. You get back all you paid.</p>
          <Form action={`${path}/withdrawal`} csrf={csrf}>
            <button type="submit" className="plain">
              {withdrawalLabels.open}
            </button>
          </Form>
        </>
      ) : null}
      {can.cancel ? (
        <Form action={`${path}/cancel`} csrf={csrf}>
          <button type="submit" className="plain">
            Cancel the order
          </button>
          <span className="hint">It is not delivered, and what you paid goes back.</span>
        </Form>
      ) : null}
      {can.return && !can.withdrawUntil ? (
        <Form action={`${path}/return`} csrf={csrf}>
          <button type="submit" className="plain">
            Return the unused eSIM
          </button>
          <span className="hint">It can no longer be installed then, and what you paid goes back.</span>
        </Form>
      ) : null}
    </Card>
  )
}
