import type { OrderRow } from '../../../../db/order/orders.ts'
import { money } from '../../../../mails/format.ts'
import { partialRefundReasons } from '../../../../workflows/order/partial-refund.contract.ts'
import { Options, plain } from '../parts.tsx'

/** The fields of a partial refund, with the values that were typed. */
export function PartialRefundFields({
  order: { gross_minor: minor, currency },
  typed,
}: {
  order: OrderRow
  typed: { amount: string; cause: string; esims: string }
}) {
  return (
    <>
      <label>
        Amount in {currency}, of {money({ minor, currency })}; empty for all that is left
        <input name="amount" inputMode="decimal" maxLength={20} autoComplete="off" defaultValue={typed.amount} />
      </label>
      <label>
        Cause, for the credit note
        <select name="cause" defaultValue={typed.cause}>
          <Options of={partialRefundReasons} words={plain} />
        </select>
      </label>
      <label>
        eSIMs
        <select name="esims" defaultValue={typed.esims}>
          <option value="kept">stay with the customer</option>
          <option value="returned">are returned to the provider first, where unused</option>
        </select>
      </label>
    </>
  )
}
