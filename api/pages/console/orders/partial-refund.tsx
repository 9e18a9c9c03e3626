import type { OrderRow } from '../../../../db/order/orders.ts'
import { money } from '../../../../mails/format.ts'
import { partialRefundReasons } from '../../../../workflows/order/partial-refund.contract.ts'
import { Choice, Field, type FormState } from '../../form.tsx'
import { choicesOf } from '../parts.tsx'

/** The fields of a partial refund. */
export function PartialRefundFields({
  order: { gross_minor: minor, currency },
  state,
}: {
  order: OrderRow
  state: FormState
}) {
  return (
    <>
      <Field
        name="amount"
        label={`Amount in ${currency}, of ${money({ minor, currency })}; empty for all that is left`}
        inputMode="decimal"
        maxLength={20}
        autoComplete="off"
        state={state}
      />
      <Choice name="cause" label="Cause, for the credit note" options={choicesOf(partialRefundReasons)} state={state} />
      <Choice
        name="esims"
        label="eSIMs"
        options={{
          kept: 'stay with the customer',
          returned: 'are returned to the provider first, where unused',
        }}
        state={state}
      />
    </>
  )
}
