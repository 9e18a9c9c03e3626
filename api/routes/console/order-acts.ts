/** The acts of an operator on an order, on the console. */
import type { UpdateDefinition } from '@temporalio/common'
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { minorDigits } from '../../../policy/currency.ts'
import type { OperatorPermission } from '../../../policy/operators/operator-roles.ts'
import { maxOrderMinor } from '../../../policy/pricing.ts'
import { retryOrder } from '../../../temporal/retry-order.ts'
import { approve, cancel, type OrderState, refund, reject, resend } from '../../../workflows/order/order.contract.ts'
import { isListed, type OrderUpdate } from '../../../workflows/order/order-states.ts'
import { partialRefundReasons } from '../../../workflows/order/partial-refund.contract.ts'
import type { RequestIds } from '../../acts/recorded-acts.ts'
import type { FieldError } from '../../http/problem.ts'
import { createOrderClient } from '../../runs/order-client.ts'
import { createPartialRefundClient } from '../../runs/partial-refund-client.ts'

/** The fields of the forms as they were typed; only a partial refund has more than a reason. */
export const actFields = z.strictObject({
  amount: z.string().trim().max(20).default(''),
  cause: z.string().max(40).default('goodwill'),
  esims: z.string().max(20).default('kept'),
})
type ActFields = z.output<typeof actFields>

export interface OrderAct {
  name: string
  label: string
  does: string
  danger: boolean
  permission: OperatorPermission
  /** whether it is of use in the order's state */
  isOffered(order: OrderRow): boolean
  /** what it gives back, where that is a part */
  amountOf?(order: OrderRow, fields: ActFields): number | null
  faultsOf?(order: OrderRow, fields: ActFields): FieldError[]
  perform(order: OrderRow, fields: ActFields, ids: RequestIds): Promise<void>
}

const causes = z.enum(partialRefundReasons)
const returning = z.enum(['kept', 'returned'])

/** The minor units of a typed amount, such as `4.50`; undefined for anything else. */
export function minorOf(typed: string, currency: string): number | undefined {
  const [, whole = '', part = ''] = /^(\d{1,9})(?:[.,](\d{1,3}))?$/.exec(typed) ?? []
  const digits = minorDigits(currency)
  if (whole === '' || part.length > digits) return undefined
  const minor = Number(whole + part.padEnd(digits, '0'))
  return minor >= 1 && minor <= maxOrderMinor ? minor : undefined
}

export function createOrderActs(api: ApiContext): readonly OrderAct[] {
  const orders = createOrderClient(api)
  const partialRefunds = createPartialRefundClient(api)

  const updating = (
    name: OrderUpdate,
    definition: UpdateDefinition<OrderState>,
    labels: Pick<OrderAct, 'label' | 'does' | 'danger' | 'permission'>,
  ): OrderAct => ({
    ...labels,
    name,
    isOffered: ({ status }) => isListed(name, status),
    perform: ({ id }, _fields, { updateId }) => orders.update(id, definition, [], { by: 'operator', updateId }),
  })

  return [
    updating('approve', approve, {
      label: 'Approve',
      does: 'The order goes on: the eSIMs are bought.',
      danger: false,
      permission: 'orders',
    }),
    updating('reject', reject, {
      label: 'Reject',
      does: 'The order is refunded in full.',
      danger: true,
      permission: 'orders',
    }),
    {
      name: 'resend',
      label: 'Resend the mail',
      does: 'The delivery mail is sent again, to the address of the account.',
      danger: false,
      permission: 'orders',
      isOffered: ({ status }) => isListed('resend', status),
      perform: ({ id }, _fields, { requestId, updateId }) =>
        orders.update(id, resend, [{ requestId }], { by: 'operator', updateId }),
    },
    {
      name: 'retry',
      label: 'Retry now',
      does: 'What the run repeats later is repeated now; it asks Stripe and the eSIM provider again.',
      danger: false,
      permission: 'orders',
      isOffered: () => true,
      perform: ({ id }) => retryOrder(api, id),
    },
    updating('refund', refund, {
      label: 'Refund in full',
      does: 'The unused eSIMs are returned to the provider, and what is left of the payment is refunded. A refund that failed is repeated.',
      danger: true,
      permission: 'money',
    }),
    {
      name: 'refund-part',
      label: 'Refund in part',
      does: 'A part of what is left of the payment is refunded; the order stays as it is. The refund has a credit note.',
      danger: true,
      permission: 'money',
      isOffered: ({ status }) => ['delivered', 'ended'].includes(status),
      amountOf: ({ currency }, { amount }) => minorOf(amount, currency) ?? null,
      faultsOf({ currency }, { amount, cause, esims }) {
        return [
          ...(amount !== '' && minorOf(amount, currency) === undefined
            ? [{ field: 'Amount', reason: `must be an amount in ${currency}, such as 4.50` }]
            : []),
          ...(causes.safeParse(cause).success ? [] : [{ field: 'Cause', reason: 'is none of the list' }]),
          ...(returning.safeParse(esims).success ? [] : [{ field: 'eSIMs', reason: 'is none of the list' }]),
        ]
      },
      perform: ({ id, account_id, currency }, { amount, cause, esims }, { requestId, updateId }) =>
        partialRefunds.refund(
          {
            refundId: requestId,
            orderId: id,
            amountMinor: minorOf(amount, currency) ?? null,
            reason: causes.parse(cause),
            esims: returning.parse(esims),
          },
          account_id,
          updateId,
        ),
    },
    updating('cancel', cancel, {
      label: 'Cancel',
      does: 'The order is cancelled before its delivery; what was paid is refunded.',
      danger: true,
      permission: 'money',
    }),
    {
      name: 'note',
      label: 'Note',
      does: 'The note appears in the timeline of the order.',
      danger: false,
      permission: 'tasks',
      isOffered: () => true,
      perform: async () => {},
    },
  ]
}
