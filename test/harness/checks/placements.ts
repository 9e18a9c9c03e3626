/** The placements of an order, in our database and at the eSIM providers' simulators. */
import type { Attention, ProviderOrders } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { testPackages } from '../test-packages.ts'
import { until, untilValue } from '../until.ts'

/**
 * The eSIM providers, each with a package that only it has, a matcher of its requests that order, and one of those that ask
 * for its price now. `finding` matches only the requests that look for an order whose reply was lost.
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
} as const

export type EsimSimulator = keyof typeof esimSimulators
export const bothSimulators = keysOf(esimSimulators)

/** `times` of a fault that lasts until it is cleared. */
export const always = 1_000_000

export function watchPlacements({ sims, context, temporal }: Stack) {
  const { sql } = context
  const placements = (orderId: string) =>
    sql<
      Pick<ProviderOrders, 'provider' | 'state' | 'reason' | 'client_ref'>[]
    >`select provider, state, reason, client_ref from provider_orders where order_id = ${orderId} order by placed_after`

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
      const [access, air] = await Promise.all([sims.esimAccess.state(), sims.airalo.state()])
      return {
        'esim-access': access.orders.filter(({ transactionId }) => references.has(transactionId)).length,
        airalo: air.orders.filter(({ description }) => description !== null && references.has(description)).length,
      }
    },

    /** Waits until an attempt at provisioning has failed and the run waits for the next one. */
    untilWaiting: (orderId: string) =>
      until('provisioning waits for its next attempt', async () => {
        const { raw } = await temporal.workflow.getHandle(orderWorkflowId(orderId)).describe()
        return raw.pendingActivities?.some(
          ({ activityType, lastFailure }) => activityType?.name === 'provision' && lastFailure,
        )
      }),

    down: (simulator: EsimSimulator) =>
      sims[simulator].fault({ match: { path: '^/(api|v2)/' }, status: 503, times: always }),

    /** The open operator tasks of an order or a provider. */
    attention: (subjectId: string) => sql<Pick<Attention, 'kind' | 'detail'>[]>`
      select kind, detail from attention where subject_id = ${subjectId} and resolved_at is null`,
  }
}
