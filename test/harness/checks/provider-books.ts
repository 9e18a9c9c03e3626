/** What the simulators of all eSIM providers have sold, in one form. */
import type { SimulatorControls } from '../../../dev/simulators/simulators.ts'
import { type EsimProviderId, esimProviderIds } from '../../../policy/outside-parties.ts'

export interface Sold {
  kind: 'order' | 'top_up'
  /** ours; empty for what was not placed by us */
  reference: string
  /** of a top-up: the eSIM that has the data */
  toppedUp?: string
  /** of an order, once they are made; `held`: not returned; bought at some time between the two */
  esims: { id: string; iccid: string; held: boolean; boughtFrom: number; boughtBy: number }[]
}

type ReadSold = (sims: SimulatorControls) => Promise<Sold[]>

const soldBy: Readonly<Record<EsimProviderId, ReadSold>> = {
  async 'esim-access'({ esimAccess }) {
    const { orders, esims, topUps, cancels } = await esimAccess.state()
    const iccids = new Map(esims.map(({ esimTranNo, iccid }) => [esimTranNo, iccid]))
    const cancelled = new Set(cancels.map(({ esimTranNo }) => esimTranNo))
    return [
      ...orders.map(({ transactionId, esimTranNos, placedAt }) => ({
        kind: 'order' as const,
        reference: transactionId,
        esims: esimTranNos.map((id) => ({
          id,
          iccid: iccids.get(id) ?? '',
          held: !cancelled.has(id),
          boughtFrom: Date.parse(placedAt),
          boughtBy: Date.parse(placedAt),
        })),
      })),
      ...topUps.map(({ transactionId, esimTranNo }) => ({
        kind: 'top_up' as const,
        reference: transactionId,
        toppedUp: iccids.get(esimTranNo) ?? '',
        esims: [],
      })),
    ]
  },
  async airalo({ airalo }) {
    const { orders, refunds } = await airalo.state()
    const refunded = new Set(refunds.flatMap(({ iccids }) => iccids))
    return orders.map(({ type, description, iccids, createdAt }) => {
      const reference = description ?? ''
      if (type === 'topup') return { kind: 'top_up', reference, toppedUp: iccids[0] ?? '', esims: [] }
      return {
        kind: 'order',
        reference,
        esims: iccids.map((iccid) => ({
          id: iccid,
          iccid,
          held: !refunded.has(iccid),
          boughtFrom: secondOf(createdAt),
          boughtBy: secondOf(createdAt) + 999,
        })),
      }
    })
  },
}

/** Airalo's times are in UTC, without their fractions of a second. */
const secondOf = (time: string): number => Date.parse(`${time.replace(' ', 'T')}Z`)

export async function readSold(sims: SimulatorControls): Promise<(Sold & { provider: EsimProviderId })[]> {
  const sold = await Promise.all(
    esimProviderIds.map(async (provider) => (await soldBy[provider](sims)).map((each) => ({ provider, ...each }))),
  )
  return sold.flat()
}
