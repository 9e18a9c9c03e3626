/** Buys from eSIM providers at prices that we have seen. */
import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { expectCost, type Placement } from '../../db/order/placements.ts'
import { costMinor, exchangeRateOf, mayBuyAt } from '../../policy/pricing.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'

/**
 * Makes a request that costs money. A price that was raised after the sale is accepted within the bound of
 * policy/pricing.ts; beyond it the request is not made, and an operator is notified.
 * @param buy gets the price to expect
 * @throws ProviderFailure rejected `price_changed` beyond the bound, `unknown_package` when the provider lists it no
 * more
 */
export async function buyAtSeenPrice<Answer>(
  context: Context,
  provider: EsimProvider,
  order: OrderRow,
  placement: Placement,
  buy: (unitCostMicros: number) => Promise<Answer>,
): Promise<Answer> {
  const { sql, config } = context
  const exchange = exchangeRateOf(config)
  const days = placement.daily ? order.days : 1
  const units = order.quantity * days
  const sold = { grossMinor: order.gross_minor, currency: order.currency, units }

  // An offer's cost is for all days of the package.
  const known = placement.cost_micros === null ? null : Number(placement.cost_micros) / days
  if (provider.checksPrice && known !== null && mayBuyAt(known, sold, exchange)) {
    try {
      return await buy(known)
    } catch (error) {
      if (!isProviderFailure(error, 'price_changed')) throw error
    }
  }
  const cost = await acceptableCost()
  await expectCost(sql, placement.id, cost * units)
  return buy(cost)

  async function acceptableCost(): Promise<number> {
    const { provider_package_code: code, kind, destinations } = placement
    const cost = await provider.currentCost({ code, kind, destinations })
    if (cost === null) throw new ProviderFailure(provider.id, 'rejected', 'unknown_package')
    if (mayBuyAt(cost, sold, exchange)) return cost
    const [costs, price] = [costMinor(cost * units, exchange), order.gross_minor]
    const detail = `${provider.id}: cost ${costs}, sold at ${price}, minor units of ${order.currency}`
    const task = { kind: 'provider_price_raised', subjectId: order.package_code, detail, at: new Date() }
    await raiseOperatorTask(sql, task)
    throw new ProviderFailure(provider.id, 'rejected', 'price_changed')
  }
}
