/** Withdrawals in the API: what Article 11a of Directive 2011/83/EU asks to show, before and after the confirmation. */
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { type Account, findAccount } from '../../db/accounts.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { leftOfPrice, listRefunds } from '../../db/order/refunds.ts'
import { findWithdrawal, type Withdrawal } from '../../db/order/withdrawals.ts'
import { textsOf } from '../../messages/texts.ts'
import { performanceConsents } from '../../policy/withdrawal.ts'
import { isoOrNull } from '../../shared/calendar.ts'
import { refundDueAfter, withdrawalPeriodEnds } from '../../shared/withdrawal-period.ts'
import { Problem } from '../http/problem.ts'
import { wholeName } from './account-fields.ts'
import { enumeration } from './enumeration.ts'

export const withdrawalRequest = z
  .strictObject({ name: wholeName.optional().describe("the consumer's name; default: the name of the account") })
  .meta({ id: 'NewWithdrawal' })

const time = z.iso.datetime()
const withdrawalState = enumeration('WithdrawalState', 'Whether a withdrawal counts', {
  open: 'Not confirmed, so that nothing has happened yet',
  stated: 'Confirmed: the order is withdrawn from, and its payment is refunded',
})

export const withdrawalView = z
  .object({
    orderId: z.uuid().describe('identifies the contract'),
    state: withdrawalState.schema,
    statement: z.string().describe('word for word, in the language in which it is stated'),
    name: z.string(),
    confirmationBy: z
      .object({ means: z.literal('email'), address: z.string() })
      .describe('where the acknowledgement goes'),
    meaning: z.string().describe('what the withdrawal leads to, in the language of the account'),
    confirmLabel: z.string().describe('the label of the confirmation function, in the language of the account'),
    refund: z.object({ minor: z.int(), currency: z.string() }).describe('what is refunded'),
    possibleUntil: time,
    refundBy: time.nullable().describe('null before the confirmation'),
    openedAt: time,
    statedAt: time.nullable().describe('date and time of the submission; null before the confirmation'),
    performanceConsent: z
      .object({ version: z.string(), text: z.string(), at: time })
      .nullable()
      .describe('what the customer agreed to when ordering'),
  })
  .meta({ id: 'Withdrawal' })

/** The withdrawal of an order as it is now. @throws Problem not_found */
export async function readWithdrawal(context: Context, order: OrderRow): Promise<z.input<typeof withdrawalView>> {
  const [withdrawal, account] = await Promise.all([
    findWithdrawal(context.sql, context, order),
    findAccount(context.sql, context, order.account_id),
  ])
  if (!withdrawal || !account) throw new Problem('not_found')
  // The withdrawal leads to refunds after the statement.
  const leftMinor = leftOfPrice(order, await listRefunds(context.sql, order.id), withdrawal.statedAt ?? undefined)
  return viewWithdrawal(order, withdrawal, { account, leftMinor })
}

function viewWithdrawal(
  order: OrderRow,
  { name, statement, openedAt, statedAt }: Withdrawal,
  { account, leftMinor }: { account: Account; leftMinor: number },
): z.input<typeof withdrawalView> {
  const { t } = textsOf(account.language)
  return {
    orderId: order.id,
    state: statedAt ? 'stated' : 'open',
    statement,
    name,
    confirmationBy: { means: 'email', address: account.email },
    meaning: t('purchase.withdrawal.meaning', { count: order.quantity }),
    confirmLabel: t('purchase.withdrawal.confirm'),
    refund: { minor: leftMinor, currency: order.currency },
    possibleUntil: withdrawalPeriodEnds(order.paid_at ?? order.created_at).toISOString(),
    refundBy: statedAt && refundDueAfter(statedAt).toISOString(),
    openedAt: openedAt.toISOString(),
    statedAt: isoOrNull(statedAt),
    performanceConsent: viewConsent(order),
  }
}

/** The consent to delivery at once with its text; null where none was given. */
export const viewConsent = ({ performance_consent: version, performance_consent_at: at }: OrderRow) =>
  version !== null && at ? { version, text: performanceConsents[version] ?? '', at: at.toISOString() } : null
