/** The placements of an order, in our database and at the eSIM providers' simulators. */
import type { Attention, ProviderOrders } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import { type EsimProviderId, esimProviderIds } from '../../../policy/outside-parties.ts'
import { keysOf, tableOf } from '../../../shared/keys-of.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { type EsimSimulator, testPackages } from '../test-packages.ts'
import { until, untilValue } from '../until.ts'
import { readSold } from './provider-books.ts'

type Matcher = NonNullable<Fault['match']>
interface ProviderRequests {
  id: EsimProviderId
  packageCode: string
  ordering: Matcher
  pricing: Matcher
  finding?: Matcher
}

/**
 * The eSIM providers, each with a package that only it has, a matcher of its requests that order, and one of those that
 * ask for its price now. `finding` matches only the requests that look for an order whose reply was lost.
 */
export const esimSimulators = {
  esimAccess: {
    id: 'esim-access',
    packageCode: testPackages.onlyEsimAccess,
    ordering: { method: 'POST', path: '/esim/order$' },
    pricing: { method: 'POST', path: '/package/list$' },
  },
  airalo: {
    id: 'airalo',
    packageCode: testPackages.onlyAiralo,
    ordering: { method: 'POST', path: '/v2/orders$' },
    pricing: { method: 'GET', path: '/v2/packages\\?' },
    finding: { method: 'GET', path: '/v2/orders\\?' },
  },
} as const satisfies Record<EsimSimulator, ProviderRequests>

export const bothSimulators = keysOf(esimSimulators)

/** `times` of a fault that lasts until it is cleared. */
export const always = 1_000_000

export function watchPlacements({ sims, context, temporal }: Stack) {
  const { sql } = context
  const placements = (orderId: string) =>
    sql<
      Pick<ProviderOrders, 'provider' | 'state' | 'reason' | 'client_ref'>[]
    >`select provider, state, reason, client_ref from provider_orders where order_id = ${orderId} order by placed_after`

  /** Whether an attempt at provisioning has failed, and the run waits for the next one. */
  async function isWaiting(orderId: string): Promise<boolean> {
    const { raw } = await temporal.workflow.getHandle(orderWorkflowId(orderId)).describe()
    const isFailing = raw.pendingActivities?.some(
      ({ activityType, lastFailure }) => activityType?.name === 'provision' && lastFailure,
    )
    return isFailing ?? false
  }

  return {
    placements,

    untilPlacement: (orderId: string, state: string) =>
      untilValue(
        `a placement of ${orderId} is ${state}`,
        () => placements(orderId),
        (rows) => rows.some((row) => row.state === state),
      ),

    /** The number of orders at each provider with an order's references. */
    async ordersAt(orderId: string): Promise<Record<string, number>> {
      const references = new Set((await placements(orderId)).map(({ client_ref }) => client_ref))
      const sold = (await readSold(sims)).filter(({ reference }) => references.has(reference))
      return tableOf(esimProviderIds, (id) => sold.filter(({ provider }) => provider === id).length)
    },

    isWaiting,

    /** Waits until an attempt at provisioning has failed and the run waits for the next one. */
    untilWaiting: (orderId: string) => until('provisioning waits for its next attempt', () => isWaiting(orderId)),

    down: (simulator: EsimSimulator) => sims[simulator].fault({ status: 503, times: always }),

    /** The open operator tasks of an order or a provider. */
    attention: (subjectId: string) => sql<Pick<Attention, 'kind' | 'detail'>[]>`
      select kind, detail from attention where subject_id = ${subjectId} and resolved_at is null`,
  }
}
