/**
 * G1, everybody can see their data, with U2, U3 and U6, the refunds, messages and documents of orders: one order of a
 * person on the web, and the acts that are still possible.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { listDaily } from '../../../db/catalogue/packages.ts'
import { installUrl } from '../../../db/crypto/install-token.ts'
import { listDocuments } from '../../../db/order/books.ts'
import { listEsims } from '../../../db/order/esims.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { listRefunds } from '../../../db/order/refunds.ts'
import { findWithdrawal } from '../../../db/order/withdrawals.ts'
import { listMails } from '../../../db/sends.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { cancel, refund, resend, takesUpdate } from '../../../workflows/order/order.contract.ts'
import { spend } from '../../http/allowance.ts'
import type { Visitor } from '../../http/caller.ts'
import { claimForm } from '../../http/idempotency.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, elsewhere, html, type RefusedForm, type Route } from '../../http/route.ts'
import { idParams, sentId } from '../../http/storable.ts'
import type { NoticeName } from '../../pages/account/frame.tsx'
import { renderOrder } from '../../pages/account/order.tsx'
import { type PayPage, placeAmong } from '../../pages/account/order-words.ts'
import { renderWithdrawal } from '../../pages/account/withdrawal.tsx'
import { onceOf } from '../../pages/form.tsx'
import { isUntouched } from '../../pages/install/esim-status.tsx'
import { layoutHeaders, type PageContext } from '../../pages/layout.tsx'
import { createOrderClient, doneIn } from '../../runs/order-client.ts'
import { createWithdrawalClient, withdrawableUntil } from '../../runs/withdrawal-client.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { wholeName } from '../../views/account-fields.ts'
import { esimLife } from '../../views/esim-life.ts'
import { readWithdrawal, viewConsent } from '../../views/withdrawal-view.ts'
import { accountPage } from './account-page.ts'
import { holdsOf, ownOrder } from './own-order.ts'

const headers = layoutHeaders({ forms: true })
const nothing = z.strictObject({})
const onceOnly = z.strictObject({ once: sentId })

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
      params: idParams,
      body: nothing,
      responses: { 303: elsewhere, 200: html },
      problems: ['order_state_conflict', 'esim_in_use', 'provider_unavailable', 'request_in_progress'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id } }) {
        await ownOrder(sql, id, caller)
        await spend(api, 'give_back', { accountId: caller.accountId })
        try {
          await orders.update(id, definition, [], { by: 'customer' })
        } catch (error) {
          const { status } = await ownOrder(sql, id, caller)
          const isDone =
            error instanceof Problem && error.code === 'order_state_conflict' && doneIn.cancel.includes(status)
          if (!isDone) throw error
        }
        return done(id, notice)
      },
    })

  return [
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}',
      tag: 'pages',
      summary: 'One order of a person: state, price, refunds, documents and mails',
      promises: ['G1', 'U2', 'U3', 'U6'],
      callers: ['visitor'],
      params: idParams,
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
      params: idParams,
      body: onceOnly,
      responses: { 303: elsewhere, 200: html },
      problems: ['order_state_conflict', 'mail_unavailable', 'request_in_progress'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id }, body: { once } }) {
        await ownOrder(sql, id, caller)
        const form = { operation: 'POST /account/orders/{id}/resend', caller, once, content: id }
        const { resourceId: requestId } = await claimForm(api, form, 'resend')
        await orders.update(id, resend, [{ requestId }], { by: 'customer', updateId: requestId })
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
      params: idParams,
      body: nothing,
      responses: { 200: html },
      problems: ['order_state_conflict', 'withdrawal_period_over'],
      showFormAgain: ({ caller, params: { id }, page }, refused) => orderPage(id, caller, page(), { refused }),
      async handle({ caller, params: { id }, page }) {
        const shown = page()
        await withdrawals.open(await ownOrder(sql, id, caller), { language: shown.texts.language })
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
      params: idParams,
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
        const order = await ownOrder(sql, id, caller)
        await spend(api, 'withdrawal', { accountId: caller.accountId })
        await withdrawals.open(order, { name, language: page().texts.language })
        await withdrawals.confirm(order)
        return done(id, 'withdrawn')
      },
    }),
  ]

  async function orderPage(
    id: string,
    caller: Visitor,
    page: PageContext,
    { notice, refused }: { notice?: string | undefined; refused?: RefusedForm },
  ): Promise<string> {
    const order = await ownOrder(sql, id, caller)
    const [documents, refunds, mails, esims, withdrawal, install, payPage, daily] = await Promise.all([
      listDocuments(sql, id),
      listRefunds(sql, id),
      listMails(sql, id),
      listEsims(api, { id: order.parent_order_id ?? id, account_id: order.account_id }),
      findWithdrawal(sql, api, order),
      installUrl(api, order),
      payPageOf(order),
      listDaily(sql, [order.package_code]),
    ])
    const isUnused = esims.map(esimLife).every(isUntouched)
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
        toppedUp: placeAmong(esims, order.esim_id),
      },
      payPage,
      installUrl: install,
      documents,
      refunds: refunds.map(({ state, amount_minor }) => ({ state, minor: amount_minor })),
      mails,
      consent: viewConsent(order),
      can: {
        // Its words say that nothing is charged.
        cancel: takesUpdate(order.status, 'cancel') && payPage?.state !== 'complete',
        resend: takesUpdate(order.status, 'resend'),
        return: order.status === 'delivered' && isUnused && !isTopUp,
        withdrawUntil: isUnused && !isTopUp && !withdrawal?.statedAt ? withdrawableUntil(order, new Date()) : null,
      },
      withdrawnAt: withdrawal?.statedAt ?? null,
      once: onceOf(refused),
    }
    return renderOrder(shown, page)
  }

  /** Where an order is paid that was made on the web; null once we know that it is paid, or over. */
  async function payPageOf({ status, checkout_session_id: sessionId }: OrderRow): Promise<PayPage | null> {
    if (status !== 'awaiting_payment' || sessionId === null) return null
    try {
      const { status: state, url } = await api.stripe.getHostedPayment(sessionId)
      return { state, url }
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      return { state: 'unreachable', url: null }
    }
  }

  async function withdrawalPage(
    id: string,
    caller: Visitor,
    page: PageContext,
    refused?: RefusedForm,
  ): Promise<string> {
    const order = await ownOrder(sql, id, caller)
    const withdrawal = { ...(await readWithdrawal(api, order)), quantity: order.quantity }
    return renderWithdrawal({ csrf: caller.csrf, refused, withdrawal }, page)
  }
}
