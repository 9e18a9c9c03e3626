/**
 * G5, everybody can take their data along: exports everything we hold about a person as one JSON document, streamed.
 */
import type { Context } from '../../context.ts'
import { accessPages, keyOfAccess } from '../../db/access/access-log.ts'
import { accountExists, findAccount } from '../../db/accounts.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import { findDataKey, tableEncryption } from '../../db/crypto/column-encryption.ts'
import { listDevices } from '../../db/devices.ts'
import {
  consentPages,
  emailChangePages,
  listSignInEvents,
  messagePages,
  type OrderParts,
  operatorActPages,
  operatorTaskPages,
  orderPages,
  partsOfOrders,
  policyNoticePages,
  privacyRequestPages,
  promotionPages,
  type RequestRow,
  securityLogPages,
} from '../../db/export.ts'
import { listIdentities } from '../../db/identities.ts'
import { periods } from '../../policy/periods.ts'
import { subProcessors } from '../../policy/sub-processors.ts'
import { isoOrNull, plusDays } from '../../shared/calendar.ts'
import { Problem } from '../http/problem.ts'
import {
  type Exported,
  type ExportedAccount,
  type ExportList,
  exportSchemaPath,
  exportVersion,
} from './account-export-schema.ts'
import { withoutOthers } from './operator-notes.ts'

/**
 * Starts an export. Refusals come before the first chunk, while the status can still say so.
 * @returns chunks of JSON; throws when the account is erased meanwhile, which cuts the document off
 * @throws Problem not_found
 */
export async function exportAccount(context: Context, accountId: string, at: Date): Promise<AsyncGenerator<string>> {
  const [account, key] = await Promise.all([
    findAccount(context.sql, context, accountId),
    findDataKey(context.sql, context, accountId),
  ])
  if (!account || !key) throw new Problem('not_found')
  const head: ExportedAccount = {
    id: account.id,
    email: account.email,
    mailState: account.mailState,
    firstName: account.firstName,
    lastName: account.lastName,
    phone: account.phone,
    signUpIp: account.signUpIp,
    lastLoginIp: account.lastLoginIp,
    firebaseUid: account.firebaseUid,
    policyVersion: account.policyVersion,
    language: account.language,
    consents: { promotions: { granted: account.promotions } },
    createdAt: account.createdAt.toISOString(),
    lastActiveAt: account.lastActiveAt.toISOString(),
  }
  return write(context, accountId, head, at)
}

async function* write(context: Context, accountId: string, account: ExportedAccount, at: Date): AsyncGenerator<string> {
  const { sql, config } = context
  const about = {
    $schema: new URL(exportSchemaPath, config.PUBLIC_URL).href,
    version: exportVersion,
    exportedAt: at.toISOString(),
    controller: `${config.SELLER_NAME}, ${config.SELLER_TAX_ID}, ${config.SUPPORT_MAIL}`,
    processors: Object.values(subProcessors).map(({ name, purpose, receives }) => ({ name, purpose, receives })),
    account,
  }
  yield JSON.stringify(about).slice(0, -1)
  for (const [name, items] of Object.entries(listsOf(context, accountId, at))) yield* writeList(name, items)
  // An erasure meanwhile would make a document that is complete JSON with rows missing.
  if (!(await accountExists(sql, accountId))) throw new Error('the account was erased while it was exported')
  yield '}\n'
}

async function* writeList(name: string, pages: AsyncIterable<readonly unknown[]>): AsyncGenerator<string> {
  let separator = `,\n${JSON.stringify(name)}:[\n`
  let empty = true
  for await (const page of pages) {
    yield separator + page.map((item) => JSON.stringify(item)).join(',\n')
    separator = ',\n'
    empty = false
  }
  yield empty ? `${separator}]` : '\n]'
}

type Lists = { [List in ExportList]: AsyncIterable<Exported<List>[]> }

function listsOf(context: Context, accountId: string, at: Date): Lists {
  const { sql, cipher } = context
  const since = { from: plusDays(at, -periods.securityLog.keepDays), to: at }

  return {
    consents: mapPages(consentPages(sql, accountId), ({ purpose, granted, source, at }) => ({
      purpose,
      granted,
      source,
      at: at.toISOString(),
    })),
    identities: onePage(async () =>
      (await listIdentities(sql, context, accountId)).map((each) => ({
        ...each,
        linkedAt: each.linkedAt.toISOString(),
      })),
    ),
    signInEvents: onePage(async () =>
      (await listSignInEvents(sql, accountId)).map(({ provider, topic, at }) => ({
        provider,
        topic,
        at: at.toISOString(),
      })),
    ),
    devices: onePage(async () =>
      (await listDevices(sql, context, accountId)).map((each) => ({ ...each, seenAt: each.seenAt.toISOString() })),
    ),
    orders: orders(),
    messages: mapPages(messagePages(sql, accountId), ({ kind, state, first_at }) => ({
      kind,
      state,
      at: first_at.toISOString(),
    })),
    policyNotices: mapPages(policyNoticePages(sql, accountId), ({ version, notice, state, told_for, sent_at }) => ({
      version,
      notice,
      state,
      takesEffectOn: told_for.toISOString(),
      at: isoOrNull(sent_at),
    })),
    emailChanges: emailChanges(),
    promotions: mapPages(promotionPages(sql, accountId), ({ subject, state, at }) => ({
      subject,
      state,
      at: at.toISOString(),
    })),
    privacyRequests: privacyRequests(),
    securityLog: securityLog(),
    accesses: mapPages(accessPages(sql, accountId, since.from), (row) => ({
      at: row.at.toISOString(),
      by: row.actor_kind,
      key: keyOfAccess(row),
      route: row.route,
      fields: row.fields,
    })),
    operatorTasks: operatorTasks(),
    operatorActs: operatorActs(),
  }

  async function* orders(): AsyncGenerator<Exported<'orders'>[]> {
    const key = await keyOf()
    const esims = tableEncryption(cipher, key, 'esims')
    const withdrawals = tableEncryption(cipher, key, 'withdrawals')
    for await (const page of orderPages(sql, accountId)) {
      const parts = await partsOfOrders(
        sql,
        page.map(({ id }) => id),
      )
      yield page.map((order) => ({
        id: order.id,
        topUpOf: order.parent_order_id,
        packageCode: order.package_code,
        packageName: order.package_name,
        destination: order.destination,
        quantity: order.quantity,
        dataBytes: numberOrNull(order.data_bytes),
        days: order.days,
        amountMinor: order.gross_minor,
        currency: order.currency,
        status: order.status,
        // U5, fraud is prevented: a customer who knows the rule that holds an order could get around it.
        reason: order.status === 'in_review' ? null : order.reason,
        paymentKind: order.payment_kind,
        adConsent: { userData: order.ad_user_data, personalization: order.ad_personalization },
        createdAt: order.created_at.toISOString(),
        paidAt: isoOrNull(order.paid_at),
        deliveredAt: isoOrNull(order.delivered_at),
        endedAt: isoOrNull(order.ended_at),
        taxEvidence: { ipCountry: order.ip_country, cardCountry: order.card_country },
        performanceConsent:
          order.performance_consent && order.performance_consent_at
            ? { version: order.performance_consent, at: order.performance_consent_at.toISOString() }
            : null,
        withdrawal: viewWithdrawal(parts, order.id, withdrawals),
        ...viewParts(parts, order.id, esims),
      }))
    }
  }

  async function* emailChanges(): AsyncGenerator<Exported<'emailChanges'>[]> {
    const fields = tableEncryption(cipher, await keyOf(), 'email_changes')
    yield* mapPages(emailChangePages(sql, accountId), (row) => ({
      oldEmail: fields.openOptional('old_email', row.old_email),
      newEmail: fields.openOptional('new_email', row.new_email),
      state: row.state,
      requestedAt: row.requested_at.toISOString(),
      oldConfirmedAt: isoOrNull(row.old_confirmed_at),
      newConfirmedAt: isoOrNull(row.new_confirmed_at),
      endedAt: isoOrNull(row.ended_at),
    }))
  }

  async function* privacyRequests(): AsyncGenerator<Exported<'privacyRequests'>[]> {
    const own = tableEncryption(cipher, await keyOf(), 'privacy_requests')
    const fromBefore = tableEncryption(cipher, await context.dataKeys.system(sql), 'privacy_requests')
    const fieldsOf = (row: RequestRow) => (row.account_id === null ? fromBefore : own)
    yield* mapPages(privacyRequestPages(sql, accountId), (row) => ({
      id: row.id,
      kind: row.kind,
      message: fieldsOf(row).open('message', row.message),
      replyTo: fieldsOf(row).openOptional('reply_to', row.reply_to),
      state: row.state,
      receivedAt: row.received_at.toISOString(),
      answerBy: row.answer_by.toISOString(),
      extendedBecause: row.extended_because,
      answerKind: row.answer_kind,
      answer: fieldsOf(row).openOptional('answer', row.answer),
      answeredAt: isoOrNull(row.answered_at),
    }))
  }

  async function* securityLog(): AsyncGenerator<Exported<'securityLog'>[]> {
    const fields = tableEncryption(cipher, await context.dataKeys.system(sql), 'security_log')
    yield* mapPages(securityLogPages(sql, accountId, since), ({ at, kind, ip }) => ({
      at: at.toISOString(),
      kind,
      ip: fields.openOptional('ip', ip),
    }))
  }

  async function* operatorTasks(): AsyncGenerator<Exported<'operatorTasks'>[]> {
    for await (const page of operatorTaskPages(sql, accountId)) {
      const rows = await withoutOthers(sql, accountId, page, ['detail', 'note'])
      yield rows.map((row) => ({
        kind: row.kind,
        about: row.about,
        detail: row.detail,
        openedAt: row.opened_at.toISOString(),
        note: row.note,
        notedAt: isoOrNull(row.noted_at),
        settledAt: isoOrNull(row.resolved_at),
      }))
    }
  }

  async function* operatorActs(): AsyncGenerator<Exported<'operatorActs'>[]> {
    for await (const page of operatorActPages(sql, accountId)) {
      const rows = await withoutOthers(sql, accountId, page, ['reason'])
      yield rows.map((row) => ({
        act: row.act,
        orderId: row.order_id,
        reason: row.reason,
        amountMinor: row.amount_minor,
        state: row.state,
        at: row.asked_at.toISOString(),
      }))
    }
  }

  /** @throws when the account was erased meanwhile */
  async function keyOf() {
    return context.dataKeys.get(sql, accountId)
  }
}

function viewWithdrawal(parts: OrderParts, orderId: string, sealer: ReturnType<typeof tableEncryption<'withdrawals'>>) {
  const row = parts.withdrawals.find(({ order_id }) => order_id === orderId)
  return row
    ? {
        name: sealer.open('name', row.name),
        openedAt: row.opened_at.toISOString(),
        statedAt: isoOrNull(row.stated_at),
        statement: row.statement,
      }
    : null
}

function viewParts(parts: OrderParts, orderId: string, sealer: ReturnType<typeof tableEncryption<'esims'>>) {
  const ofOrder = <Row extends { order_id: string }>(rows: Row[]): Row[] =>
    rows.filter((row) => row.order_id === orderId)
  return {
    history: ofOrder(parts.history).map(({ kind, at }) => ({ kind, at: at.toISOString() })),
    esims: ofOrder(parts.esims).map((esim) => ({
      provider: esim.provider,
      iccid: sealer.open('iccid', esim.iccid),
      activationCode: sealer.open('activation_code', esim.activation_code),
      confirmationCode: sealer.openOptional('confirmation_code', esim.confirmation_code),
      state: esim.state,
      suspended: esim.suspended,
      totalBytes: numberOrNull(esim.total_bytes),
      usedBytes: Number(esim.used_bytes),
      activatedAt: isoOrNull(esim.activated_at),
      unusedUntil: isoOrNull(esim.unused_until),
      expiresAt: isoOrNull(esim.expires_at),
    })),
    refunds: ofOrder(parts.refunds).map((refund) => ({
      amountMinor: refund.amount_minor,
      state: refund.state,
      reason: refund.reason,
      createdAt: refund.created_at.toISOString(),
    })),
    disputes: ofOrder(parts.disputes).map((dispute) => ({
      state: dispute.state,
      amountMinor: dispute.amount_minor,
      currency: dispute.currency,
      reason: dispute.reason,
      openedAt: dispute.opened_at.toISOString(),
      closedAt: isoOrNull(dispute.closed_at),
    })),
    invoices: ofOrder(parts.invoices).map((invoice) => ({
      number: invoice.number,
      kind: invoice.kind,
      issuedOn: invoice.issued_on,
      suppliedOn: invoice.supplied_on,
      seller: invoice.seller,
      description: invoice.description,
      netMinor: invoice.net_minor,
      taxMinor: invoice.tax_minor,
      grossMinor: invoice.gross_minor,
      taxRateBps: invoice.tax_rate_bps,
      currency: invoice.currency,
      corrects: invoice.corrects,
    })),
  }
}

async function* mapPages<Row, Item>(
  pages: AsyncIterable<readonly Row[]>,
  toItem: (row: Row) => Item,
): AsyncGenerator<Item[]> {
  for await (const page of pages) yield page.map(toItem)
}

async function* onePage<Item>(read: () => Promise<Item[]>): AsyncGenerator<Item[]> {
  const page = await read()
  if (page.length > 0) yield page
}
