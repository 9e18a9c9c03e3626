/**
 * G1, everybody can see their data, with U2, U3 and U6, the refunds, messages and documents of orders: a person's eSIMs
 * and orders on the web, and the acts that are still possible.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { findAccount } from '../../../db/accounts.ts'
import { listDaily } from '../../../db/catalogue/packages.ts'
import { numberOrNull } from '../../../db/connection/bigints.ts'
import { installUrl } from '../../../db/crypto/install-token.ts'
import { findDocument, listDocuments } from '../../../db/order/books.ts'
import { listEsims, listEsimsOfOrders } from '../../../db/order/esims.ts'
import { findOrder, listOrders, type OrderRow } from '../../../db/order/orders.ts'
import { listRefunds } from '../../../db/order/refunds.ts'
import { findWithdrawal } from '../../../db/order/withdrawals.ts'
import { listMails } from '../../../db/sends.ts'
import type { Texts } from '../../../messages/texts.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { cancel, type OrderStatus, refund, resend, takesUpdate } from '../../../workflows/order/order.contract.ts'
import { spend } from '../../http/allowance.ts'
import type { Visitor } from '../../http/caller.ts'
import { claimForm } from '../../http/idempotency.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type RefusedForm, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import type { NoticeName } from '../../pages/account/frame.tsx'
import { renderInvoice } from '../../pages/account/invoice.tsx'
import { invoiceContent } from '../../pages/account/invoice-content.ts'
import { renderMyEsims } from '../../pages/account/my-esims.tsx'
import { renderOrder } from '../../pages/account/order.tsx'
import { renderWithdrawal } from '../../pages/account/withdrawal.tsx'
import { onceOf } from '../../pages/form.tsx'
import { layoutHeaders, type PageContext } from '../../pages/layout.tsx'
import { renderAskAddress } from '../../pages/sign-in.tsx'
import { createOrderClient } from '../../runs/order-client.ts'
import { createWithdrawalClient, withdrawableUntil } from '../../runs/withdrawal-client.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { wholeName } from '../../views/account-fields.ts'
import { esimLife, findEsimsToTopUp } from '../../views/esim-life.ts'
import { readWithdrawal, viewConsent } from '../../views/withdrawal-view.ts'
import { accountPage } from './account-page.ts'

const html = { description: 'A page', contentType: 'text/html' } as const
const elsewhere = { description: 'Done; the answer is on another page' } as const
const headers = layoutHeaders({ forms: true })
const params = z.strictObject({ id: sentId })
const nothing = z.strictObject({})
const onceOnly = z.strictObject({ once: sentId })
const documentParams = z.strictObject({ id: sentId, number: z.string().max(60) })
const shownOrders = 50
const cancelledStates: readonly OrderStatus[] = ['cancelled', 'refunding', 'refunded']

export function orderPageRoutes(api: ApiContext): Route[] {
  const { sql, config } = api
  const { PUBLIC_URL: publicUrl } = config
  const orders = createOrderClient(api)
  const withdrawals = createWithdrawalClient(api)
  const show = accountPage(publicUrl)

  const done = (id: string, notice: NoticeName) => ({
    status: 303 as const,
    headers: { Location: `/account/orders/${id}`, 'Set-Cookie': noticeCookie(notice, publicUrl) },
  })

  /** Cancels or returns an order. One for which that was done already, as by a second click, is no fault. */
  const cancelOrReturn = (name: 'cancel' | 'return', definition: typeof cancel, notice: NoticeName): Route =>
    defineRoute({
      method: 'post',
      path: `/account/orders/{id}/${name}`,
      tag: 'pages',
      summary: name === 'cancel' ? 'Cancels an order before its delivery' : 'Returns unused eSIMs for a refund',
      promises: ['U2'],
      callers: ['visitor'],
      form: true,
      params,
      body: nothing,
      responses: { 303: elsewhere, 200: html },
      problems: ['order_state_conflict', 'esim_in_use', 'provider_unavailable', 'request_in_progress'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id } }) {
        await owned(id, caller)
        await spend(api, 'give_back', { accountId: caller.accountId })
        try {
          await orders.update(id, definition, [])
        } catch (error) {
          const { status } = await owned(id, caller)
          const isDone =
            error instanceof Problem && error.code === 'order_state_conflict' && cancelledStates.includes(status)
          if (!isDone) throw error
        }
        return done(id, notice)
      },
    })

  return [
    defineRoute({
      method: 'get',
      path: '/account',
      tag: 'pages',
      summary: "A person's eSIMs and orders; without a session the page to sign in",
      promises: ['G1', 'U3'],
      callers: ['public', 'visitor'],
      responses: { 200: html },
      async handle({ caller, header, page }) {
        if (caller.kind !== 'visitor') return { status: 200, headers, raw: renderAskAddress('account', page()) }
        return show(header, (notice) => myEsims(caller, page(), notice))
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}',
      tag: 'pages',
      summary: 'One order of a person: state, price, refunds, documents and mails',
      promises: ['G1', 'U2', 'U3', 'U6'],
      callers: ['visitor'],
      params,
      responses: { 200: html },
      handle: ({ caller, params: { id }, header, page }) =>
        show(header, (notice) => orderPage(id, caller, page(), { notice })),
    }),
    cancelOrReturn('cancel', cancel, 'cancelled'),
    cancelOrReturn('return', refund, 'returned'),
    defineRoute({
      method: 'post',
      path: '/account/orders/{id}/resend',
      tag: 'pages',
      summary: 'Mails the eSIM of an order again',
      promises: ['U3'],
      callers: ['visitor'],
      form: true,
      params,
      body: onceOnly,
      responses: { 303: elsewhere, 200: html },
      problems: ['order_state_conflict', 'mail_unavailable', 'request_in_progress'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id }, body: { once } }) {
        await owned(id, caller)
        const form = { operation: 'POST /account/orders/{id}/resend', caller, once, content: id }
        const { resourceId: requestId } = await claimForm(api, form, 'resend')
        await orders.update(id, resend, [{ requestId }], requestId)
        return done(id, 'resent')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/orders/{id}/withdrawal',
      tag: 'pages',
      summary: 'Opens a withdrawal from the contract, and shows what it means',
      callers: ['visitor'],
      form: true,
      params,
      body: nothing,
      responses: { 200: html },
      problems: ['order_state_conflict', 'withdrawal_period_over'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id }, page }) {
        const shown = page()
        await withdrawals.open(await owned(id, caller), { language: shown.texts.language })
        return { status: 200, headers, raw: await withdrawalPage(id, caller, shown) }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/orders/{id}/withdrawal/confirm',
      tag: 'pages',
      summary: 'Confirms the withdrawal: the eSIM is returned, and the payment refunded',
      promises: ['U2'],
      callers: ['visitor'],
      form: true,
      params,
      body: z.strictObject({ name: wholeName }),
      responses: { 303: elsewhere, 200: html },
      problems: [
        'order_state_conflict',
        'withdrawal_not_opened',
        'withdrawal_period_over',
        'withdrawal_right_lost',
        'provider_unavailable',
        'request_in_progress',
      ],
      showFormAgain: ({ caller, params: { id }, page }, refused) => withdrawalPage(id, caller, page(), refused),
      async handle({ caller, params: { id }, body: { name }, page }) {
        const order = await owned(id, caller)
        await spend(api, 'withdrawal', { accountId: caller.accountId })
        await withdrawals.open(order, { name, language: page().texts.language })
        await withdrawals.confirm(order)
        return done(id, 'withdrawn')
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}/documents/{number}',
      tag: 'pages',
      summary: 'An invoice or a credit note as a page to print',
      promises: ['U6'],
      callers: ['visitor'],
      params: documentParams,
      responses: { 200: html },
      async handle({ caller, params: { id, number }, page }) {
        const shown = page()
        const content = await contentOf(id, number, caller, shown.texts)
        return { status: 200, headers, raw: renderInvoice(content, `/account/orders/${id}`, shown) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}/documents/{number}/pdf',
      tag: 'pages',
      summary: 'An invoice or a credit note as a PDF',
      promises: ['U6'],
      callers: ['visitor'],
      params: documentParams,
      responses: { 200: { description: 'The file', contentType: 'application/pdf' }, 404: html },
      async handle({ caller, params: { id, number }, page }) {
        const { texts } = page()
        const content = await contentOf(id, number, caller, texts)
        const disposition = { 'Content-Disposition': `attachment; filename="${content.number}.pdf"` }
        // Its library is large, and no start needs it.
        const { invoicePdf } = await import('../../pages/account/invoice-pdf.ts')
        return { status: 200, headers: disposition, raw: await invoicePdf(content, texts) }
      },
    }),
  ]

  /** @throws Problem not_found, also for the order of another person */
  async function owned(id: string, { accountId }: Visitor): Promise<OrderRow> {
    const order = await findOrder(sql, id)
    if (order?.account_id !== accountId) throw new Problem('not_found')
    return order
  }

  async function myEsims({ accountId }: Visitor, page: PageContext, notice: string | undefined): Promise<string> {
    const [account, rows] = await Promise.all([
      findAccount(sql, api, accountId),
      listOrders(sql, { accountId, status: undefined, after: undefined, limit: shownOrders + 1 }),
    ])
    const deadAddress = account?.mailState === 'bounced' ? account.email : undefined
    const shown = rows.slice(0, shownOrders)
    const esims = await listEsimsOfOrders(
      api,
      accountId,
      shown.map(({ id }) => id),
    )
    const toTopUp = await findEsimsToTopUp(
      sql,
      shown.flatMap(({ id, status }) =>
        (esims.get(id) ?? []).map((esim) => ({ ...esim, delivered: status === 'delivered' })),
      ),
    )
    const daily = await listDaily(
      sql,
      shown.map((order) => order.package_code),
    )
    const lines = await Promise.all(
      shown.map(async (order) => ({
        id: order.id,
        createdAt: order.created_at,
        holds: holdsOf(order, daily),
        destination: order.destination,
        isTopUp: order.parent_order_id !== null,
        status: order.status,
        paidAt: order.paid_at,
        deliveredAt: order.delivered_at,
        minor: order.gross_minor,
        currency: order.currency,
        installUrl: await installUrl(api, order),
        esims: (esims.get(order.id) ?? []).map((esim) => ({
          id: esim.id,
          takesTopUps: toTopUp.has(esim.id),
          ...esimLife(esim),
        })),
      })),
    )
    return renderMyEsims({ notice, deadAddress, more: rows.length > shown.length, orders: lines }, page)
  }

  async function orderPage(
    id: string,
    caller: Visitor,
    page: PageContext,
    { notice, refused }: { notice?: string | undefined; refused?: RefusedForm },
  ): Promise<string> {
    const order = await owned(id, caller)
    const [documents, refunds, mails, esims, withdrawal, install, payAt, daily] = await Promise.all([
      listDocuments(sql, id),
      listRefunds(sql, id),
      listMails(sql, id),
      listEsims(api, order),
      findWithdrawal(sql, api, order),
      installUrl(api, order),
      payAddress(order),
      listDaily(sql, [order.package_code]),
    ])
    const isUnused = esims.every(({ state, usedBytes }) => (state === 'new' || state === 'unknown') && usedBytes === 0n)
    const isTopUp = order.parent_order_id !== null
    const shown = {
      csrf: caller.csrf,
      notice,
      refused,
      order: {
        id,
        holds: holdsOf(order, daily),
        destination: order.destination,
        quantity: order.quantity,
        isTopUp,
        status: order.status,
        minor: order.gross_minor,
        currency: order.currency,
        createdAt: order.created_at,
        paidAt: order.paid_at,
        deliveredAt: order.delivered_at,
      },
      payAt,
      installUrl: install,
      documents,
      refunds: refunds.map(({ state, amount_minor }) => ({ state, minor: amount_minor })),
      mails,
      consent: viewConsent(order),
      can: {
        cancel: takesUpdate(order.status, 'cancel'),
        resend: takesUpdate(order.status, 'resend'),
        return: order.status === 'delivered' && isUnused && !isTopUp,
        withdrawUntil: isUnused && !isTopUp && !withdrawal?.statedAt ? withdrawableUntil(order, new Date()) : null,
      },
      withdrawnAt: withdrawal?.statedAt ?? null,
      once: onceOf(refused),
    }
    return renderOrder(shown, page)
  }

  /** Where an order is paid that was made on the web; null once nothing is to be paid. */
  async function payAddress({ status, checkout_session_id: sessionId }: OrderRow) {
    if (status !== 'awaiting_payment' || sessionId === null) return null
    try {
      return (await api.stripe.getHostedPayment(sessionId)).url
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return 'unreachable' as const
    }
  }

  async function withdrawalPage(
    id: string,
    caller: Visitor,
    page: PageContext,
    refused?: RefusedForm,
  ): Promise<string> {
    const withdrawal = await readWithdrawal(api, await owned(id, caller))
    return renderWithdrawal({ csrf: caller.csrf, refused, withdrawal }, page)
  }

  /** @throws Problem not_found */
  async function contentOf(id: string, number: string, caller: Visitor, texts: Texts) {
    await owned(id, caller)
    const [document, account] = await Promise.all([
      findDocument(sql, id, number),
      findAccount(sql, api, caller.accountId),
    ])
    if (!document || !account) throw new Problem('not_found')
    const { firstName, lastName, email } = account
    return invoiceContent(document, { name: `${firstName} ${lastName}`, email }, texts)
  }
}

/** @param daily the codes of packages with a volume for each day */
const holdsOf = ({ package_code: code, data_bytes: bytes, days }: OrderRow, daily: ReadonlySet<string>) => ({
  dataBytes: numberOrNull(bytes),
  daily: daily.has(code),
  days,
})
