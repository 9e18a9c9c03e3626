/** Orders in the API. */

import { z } from 'zod'
import type { Context } from '../../context.ts'
import { listDaily } from '../../db/catalogue/packages.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import type { Accounts, Disputes } from '../../db/connection/schema.ts'
import { findDataKey, tableEncryption } from '../../db/crypto/column-encryption.ts'
import { installUrl } from '../../db/crypto/install-token.ts'
import { listDocuments } from '../../db/order/books.ts'
import { evidenceOf, listDisputes } from '../../db/order/disputes.ts'
import { listEsims, type StoredEsim } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { listRefunds } from '../../db/order/refunds.ts'
import { listMails } from '../../db/sends.ts'
import { androidInstallUrl, iosInstallUrl, parseActivationCode } from '../../providers/lpa.ts'
import { customerSessionMs } from '../../providers/stripe/persons.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { limitOf } from '../../workflows/order/order-states.ts'
import type { Caller } from '../http/caller.ts'
import {
  disputeState,
  esimState,
  orderMailState,
  orderReason,
  orderStatus,
  refundReason,
  refundState,
  validityStart,
} from './order-enumerations.ts'
import { viewConsent } from './withdrawal-view.ts'

const time = z.iso.datetime().nullable()
const bytes = z.int().nullable().describe('bytes; null is unlimited')

/** Where a package is used, as orders have it. */
export const orderDestination = z
  .string()
  .describe('a country (ISO 3166-1 alpha-2), or of a package of several their number, such as `39 countries`')

export const orderSummary = z
  .object({
    id: z.uuid(),
    accountId: z.uuid(),
    topUpOf: z.uuid().nullable().describe('the order whose eSIM gets the data, if this is a top-up'),
    packageCode: z.string(),
    packageName: z.string().describe('as it was when it was ordered'),
    destination: orderDestination,
    quantity: z.int().describe('how many eSIMs'),
    dataBytes: bytes.describe('of each eSIM, in bytes; null is unlimited'),
    daily: z.boolean().describe('the volume is per day'),
    days: z.int().describe('how long the data is valid, from `validityStarts` of its eSIM on'),
    amount: z.object({
      minor: z.int().describe('of all eSIMs, in the minor unit, tax included'),
      currency: z.string().describe('ISO 4217'),
    }),
    status: orderStatus.schema,
    reason: orderReason.schema.nullable(),
    dueAt: time.describe('when the status ends at the latest'),
    createdAt: time,
    paidAt: time,
    deliveredAt: time,
    endedAt: time,
  })
  .meta({ id: 'OrderSummary' })

const paymentSheet = z
  .object({
    paymentIntentClientSecret: z.string(),
    publishableKey: z.string(),
    customerId: z.string().nullable().describe('of saved cards, if the order was placed with them'),
    customerSessionClientSecret: z
      .string()
      .nullable()
      .describe('opens the saved cards for 30 minutes after the order; then null, and the sheet takes new cards'),
  })
  .meta({ id: 'PaymentSheet' })

const esim = z
  .object({
    id: z.uuid(),
    state: esimState.schema,
    suspended: z.boolean().describe('it has no data, because its payment is disputed'),
    iccid: z.string().describe('the number of the eSIM, which another one may have later: `id` is the name to keep'),
    activationCode: z
      .string()
      .describe('`LPA:1$...`, the content of the QR code. A secret: the first phone that reads it installs the eSIM'),
    smdpAddress: z.string().nullable().describe('to type in by hand, with `matchingId`'),
    matchingId: z.string().nullable(),
    confirmationCode: z.string().nullable().describe('what the phone asks for at the installation, if it does'),
    apn: z.string().nullable().describe('to set by hand where the phone has no connection'),
    iosInstallUrl: z.string().nullable().describe('installs the eSIM on iPhones with iOS 17.4 or newer'),
    androidInstallUrl: z
      .string()
      .nullable()
      .describe('some Android phones install the eSIM by it, others do not know it'),
    totalBytes: bytes,
    usedBytes: z.int().describe('bytes'),
    checkedAt: z.iso
      .datetime()
      .describe('when the provider was asked for state and usage; its own counters may be hours older'),
    validityStarts: validityStart.schema.nullable().describe('null: the provider does not say'),
    unusedUntil: time.describe('when it ends unless it is installed'),
    activatedAt: time,
    expiresAt: time,
  })
  .meta({ id: 'Esim' })

const dispute = z
  .object({
    id: z.string(),
    state: disputeState.schema,
    amount: z.object({ minor: z.int(), currency: z.string() }).nullable(),
    reason: z.string().nullable(),
    networkReasonCode: z.string().nullable(),
    dueBy: time.describe('until when the bank takes evidence; null when it takes none'),
    evidence: z.enum(['none', 'staged', 'submitted']),
    submissionCount: z.int(),
    pastDue: z.boolean().describe('the last submission was late'),
  })
  .meta({ id: 'Dispute' })

const orderDetails = orderSummary
  .extend({
    payment: paymentSheet
      .nullable()
      .describe('the parameters of the payment sheet, while the order awaits its payment; null to operators'),
    installUrl: z
      .url()
      .nullable()
      .describe('a page that installs the eSIMs; null to operators, and before the delivery'),
    esims: z
      .array(esim)
      .describe(
        'empty to operators, who need no codes, before the eSIMs are there, and of a top-up: its eSIM is one of the order `topUpOf`',
      ),
    documents: z.array(
      z.object({ kind: z.enum(['invoice', 'credit_note']), number: z.string(), issuedOn: z.iso.date() }),
    ),
    refunds: z.array(
      z.object({
        state: refundState.schema,
        minor: z.int(),
        reason: refundReason.schema,
        creditNote: z.string().nullable().describe('the number; null also of a refund that replaces a failed one'),
      }),
    ),
    mails: z
      .array(
        z.object({
          mail: z
            .string()
            .describe(
              'the occasion: `confirmation`, `held`, `delayed`, `refunded`, `cancelled`, `refund_failed`, `apology`, `withdrawal_acknowledged`, `partial_refund_refunded` or `partial_refund_failed`; later versions may add others',
            ),
          state: orderMailState.schema,
          code: z.string().nullable().describe('why the mail is not sent, or why it came back'),
        }),
      )
      .describe('`failed` and `bounced`: show the eSIM in the app, and ask the person for another address'),
    dispute: disputeState.schema.nullable(),
    disputes: z.array(dispute).describe('empty to customers'),
    performanceConsent: z.object({ version: z.string(), text: z.string(), at: z.iso.datetime() }).nullable(),
  })
  .meta({ id: 'Order' })

/** The response of the routes that answer with one order. */
export const oneOrder = { description: 'The order', schema: orderDetails }

/**
 * An order in a list.
 * @param reader who is answered
 * @param daily the codes of packages with a volume for each day
 */
export function viewSummary(
  order: OrderRow,
  reader: Caller['kind'],
  daily: ReadonlySet<string>,
): z.input<typeof orderSummary> {
  return {
    id: order.id,
    accountId: order.account_id,
    topUpOf: order.parent_order_id,
    packageCode: order.package_code,
    packageName: order.package_name,
    destination: order.destination,
    quantity: order.quantity,
    dataBytes: numberOrNull(order.data_bytes),
    daily: daily.has(order.package_code),
    days: order.days,
    amount: { minor: order.gross_minor, currency: order.currency },
    status: order.status,
    // U5, fraud is prevented: only operators see why an order is in review, as a customer could otherwise get around
    // the rule.
    reason:
      order.reason === null || (order.status === 'in_review' && reader !== 'operator')
        ? null
        : orderReason.known(order.reason),
    dueAt: isoOrNull(dueAt(order)),
    createdAt: isoOrNull(order.created_at),
    paidAt: isoOrNull(order.paid_at),
    deliveredAt: isoOrNull(order.delivered_at),
    endedAt: isoOrNull(order.ended_at),
  }
}

/** When the status ends at the latest. */
export function dueAt(order: OrderRow): Date | null {
  if (order.status === 'awaiting_payment') return order.payment_due_at
  if (order.status === 'provisioning') return order.deliver_by
  if (order.status === 'in_review' && order.paid_at) return limitOf('in_review', order.paid_at)
  return null
}

/**
 * One order in full. It includes the secrets of payment and installation, except for operators, who need neither: it
 * must not be logged or cached.
 */
export async function viewOrder(
  context: Context,
  order: OrderRow,
  reader: Caller['kind'],
): Promise<z.input<typeof orderDetails>> {
  const { sql } = context
  // A new order has no eSIMs and no documents: checkout, the most frequent call, saves the queries.
  const isNew = order.status === 'awaiting_payment'
  const isOperator = reader === 'operator'
  const [daily, esims, documents, refunds, mails, disputes, payment, install] = await Promise.all([
    listDaily(sql, [order.package_code]),
    isNew || isOperator ? [] : listEsims(context, order),
    isNew ? [] : listDocuments(sql, order.id),
    isNew ? [] : listRefunds(sql, order.id),
    isNew ? [] : listMails(sql, order.id),
    isNew ? [] : listDisputes(sql, order.id),
    isNew && !isOperator ? viewPayment(context, order) : null,
    isOperator ? null : installUrl(context, order),
  ])
  return {
    ...viewSummary(order, reader, daily),
    payment,
    installUrl: install,
    esims: esims.map(viewEsim),
    documents: documents.map(({ kind, number, issuedOn }) => ({ kind, number, issuedOn })),
    refunds: refunds.map(({ state, amount_minor, reason, credit_note }) => ({
      state: refundState.known(state),
      minor: amount_minor,
      reason: refundReason.known(reason),
      creditNote: credit_note,
    })),
    mails,
    dispute: disputes[0] ? disputeState.known(disputes[0].state) : null,
    disputes: isOperator ? disputes.map(viewDispute) : [],
    performanceConsent: viewConsent(order),
  }
}

function viewDispute(row: Disputes): z.input<typeof dispute> {
  return {
    id: row.stripe_dispute_id,
    state: disputeState.known(row.state),
    amount:
      row.amount_minor === null || row.currency === null ? null : { minor: row.amount_minor, currency: row.currency },
    reason: row.reason,
    networkReasonCode: row.network_reason_code,
    dueBy: isoOrNull(row.due_by),
    evidence: evidenceOf({ hasEvidence: row.has_evidence, submissionCount: row.submission_count }),
    submissionCount: row.submission_count,
    pastDue: row.past_due,
  }
}

function viewEsim(stored: StoredEsim): z.input<typeof esim> {
  const code = parseActivationCode(stored.activationCode)
  return {
    id: stored.id,
    state: stored.state,
    suspended: stored.suspended,
    iccid: stored.iccid,
    activationCode: stored.activationCode,
    smdpAddress: code?.smdpAddress ?? null,
    matchingId: code?.matchingId ?? null,
    confirmationCode: stored.confirmationCode,
    apn: stored.apn,
    iosInstallUrl: code && iosInstallUrl(stored.activationCode),
    androidInstallUrl: code && androidInstallUrl(stored.activationCode),
    totalBytes: numberOrNull(stored.totalBytes),
    usedBytes: Number(stored.usedBytes),
    checkedAt: stored.checkedAt.toISOString(),
    validityStarts: stored.validityStarts,
    unusedUntil: isoOrNull(stored.unusedUntil),
    activatedAt: isoOrNull(stored.activatedAt),
    expiresAt: isoOrNull(stored.expiresAt),
  }
}

async function viewPayment(context: Context, order: OrderRow): Promise<z.input<typeof paymentSheet> | null> {
  const key = order.payment_client_secret && (await findDataKey(context.sql, context, order.account_id))
  if (!key || !order.payment_client_secret) return null
  const fields = tableEncryption(context.cipher, key, 'orders')
  const opensCards = Date.now() < order.created_at.getTime() + customerSessionMs
  const session = opensCards ? fields.openOptional('customer_session_secret', order.customer_session_secret) : null
  const [customer] = session
    ? await context.sql<Pick<Accounts, 'stripe_customer_id'>[]>`
        select stripe_customer_id from accounts where id = ${order.account_id}`
    : []
  return {
    paymentIntentClientSecret: fields.open('payment_client_secret', order.payment_client_secret),
    publishableKey: context.stripe.publishableKey,
    customerId: customer?.stripe_customer_id ?? null,
    customerSessionClientSecret: session,
  }
}
