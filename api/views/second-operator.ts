import { acceptDispute, type SecondOperatorRequired } from '../../db/operator/refund-sums.ts'
import { minorDigits } from '../../policy/currency.ts'

/** Says an operator why another one is needed, and what to do. Sums are in the currency of the shop. */
export function whyASecondOne(
  config: { SECOND_OPERATOR_ABOVE_MINOR: number; SHOP_CURRENCY: string },
  { of, act, beforeMinor, minor }: Pick<SecondOperatorRequired, 'of' | 'act' | 'beforeMinor' | 'minor'>,
): string {
  const digits = minorDigits(config.SHOP_CURRENCY)
  const [most, before, now] = [config.SECOND_OPERATOR_ABOVE_MINOR, beforeMinor, minor].map((sum) =>
    (sum / 10 ** digits).toFixed(digits),
  )
  const whose = of === 'operator' ? 'You, or a key that may be yours, refunded' : 'Of this order operators refunded'
  return `Within 24 hours one operator alone refunds up to ${most}, all currencies added. ${whose} ${before} before, and this is ${now} more. ${remedyOf(of, act)}`
}

function remedyOf(of: SecondOperatorRequired['of'], act: string): string {
  if (act === acceptDispute) return 'Ask another operator to accept it within the day: with both it is done.'
  if (of === 'operator') return 'Ask another operator to do it, or prepare a bulk refund that another one starts.'
  return 'Prepare a bulk refund that another operator starts.'
}
