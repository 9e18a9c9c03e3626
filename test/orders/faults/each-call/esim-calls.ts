/** Each call to the eSIM providers. */
import { randomUUID } from 'node:crypto'
import type { EsimProvider } from '../../../../providers/esim.ts'
import type { Harness } from '../../../harness/harness.ts'
import { type Call, readAll, reading, type Series, shared, withAll } from './call.ts'

const products = {
  'esim-access': { base: 'CKH100', topUp: 'TOPUP_CKH100' },
  airalo: { base: 'hallo-mobil-7days-1gb', topUp: 'hallo-mobil-7days-1gb-topup' },
} as const
type Id = keyof typeof products

/** What both providers have. @param done how often each has done what, by our reference or the eSIM's */
function callsOf(
  harness: Harness,
  id: Id,
  done: Record<'placed' | 'topUps' | 'cancels', (of: string) => Promise<number>>,
) {
  const { base, topUp: topUpCode } = products[id]
  const clean = harness.context.esimProviders[id]
  const placedAfter = (): string => new Date(Date.now() - 60_000).toISOString()
  const on = (act: (provider: EsimProvider) => Promise<unknown>): Series['attempt'] => {
    return ({ esimProviders }) => act(esimProviders[id])
  }
  async function bought() {
    const clientRef = randomUUID()
    const { orderNo } = await clean.placeOrder({ clientRef, packageCode: base, quantity: 1 })
    const [esim] = await clean.getEsims(orderNo)
    return { clientRef, orderNo, esimRef: esim?.esimRef ?? '' }
  }
  const about = (act: (of: Awaited<ReturnType<typeof bought>>) => Series): Call => ({
    arrange: async () => act(await bought()),
  })
  const longAgo = { from: '2020-01-01T00:00:00.000Z', to: '2020-01-02T00:00:00.000Z' }

  return {
    placeOrder: {
      async arrange() {
        const clientRef = randomUUID()
        const order = { clientRef, packageCode: base, quantity: 1 }
        const since = placedAfter()
        return {
          attempt: async ({ esimProviders: { [id]: provider } }, tried) =>
            (tried > 0 && (await provider.findOrder({ clientRef, placedAfter: since }))) || provider.placeOrder(order),
          effects: () => done.placed(clientRef),
        }
      },
    },
    findOrder: about(({ clientRef }) => ({
      attempt: on(async (provider) => {
        if (!(await provider.findOrder({ clientRef, placedAfter: placedAfter() }))) throw new Error('it has the order')
      }),
    })),
    findOrdersOf: about(({ clientRef }) => ({
      attempt: on(async (provider) => {
        if ((await provider.findOrdersOf([clientRef], placedAfter())).length !== 1) throw new Error('it has the order')
      }),
    })),
    getEsims: about(({ orderNo }) => ({ attempt: on((provider) => provider.getEsims(orderNo)) })),
    getStatus: about(({ esimRef }) => ({ attempt: on((provider) => provider.getStatus(esimRef)) })),
    cancelUnused: {
      // Airalo takes each call for another request; the order's run asks once for each eSIM.
      // It says first whether the eSIM is unused.
      ...(id === 'airalo' && { once: true as const, requests: 2 }),
      ...about(({ esimRef }) => ({
        attempt: on((provider) => provider.cancelUnused(esimRef)),
        effects: () => done.cancels(esimRef),
      })),
    },
    topUp: about(({ esimRef }) => {
      const clientRef = randomUUID()
      const topUp = { clientRef, esimRef, packageCode: topUpCode }
      return {
        attempt: async ({ esimProviders: { [id]: provider } }, tried) =>
          (tried > 0 && (await provider.hasTopUp({ clientRef, esimRef }))) || provider.topUp(topUp),
        effects: () => done.topUps(clientRef),
      }
    }),
    hasTopUp: about(({ esimRef }) => ({
      attempt: on((provider) => provider.hasTopUp({ clientRef: randomUUID(), esimRef })),
    })),
    topUpsOf: about(({ esimRef }) => ({ attempt: on((provider) => provider.topUpsOf([randomUUID()], esimRef)) })),
    listOrders: reading(on((provider) => readAll(provider.listOrders(longAgo)))),
    balance: reading(
      on((provider) => provider.balance()),
      id === 'airalo' ? { byToken: true } : {},
    ),
    listPackages: reading(
      on((provider) => provider.listPackages()),
      id === 'esim-access' ? { requests: 2 } : {},
    ),
    currentCost: reading(
      on(async (provider) => {
        if (!(await provider.currentCost({ code: base, kind: 'base', destinations: ['DE'] })))
          throw new Error('it sells the package')
      }),
    ),
  } satisfies Record<string, Call>
}

export function esimAccessCalls(harness: Harness) {
  const sim = harness.sims.esimAccess
  const { 'esim-access': clean } = harness.context.esimProviders
  const state = shared(() => sim.state())
  const common = callsOf(harness, 'esim-access', {
    placed: async (ref) => (await state()).orders.filter(({ transactionId }) => transactionId === ref).length,
    topUps: async (ref) => (await state()).topUps.filter(({ transactionId }) => transactionId === ref).length,
    cancels: async (ref) => (await state()).cancels.filter(({ esimTranNo }) => esimTranNo === ref).length,
  })
  const bought = async (): Promise<string> => {
    const order = { clientRef: randomUUID(), packageCode: products['esim-access'].base, quantity: 1 }
    const [esim] = await clean.getEsims((await clean.placeOrder(order)).orderNo)
    return esim?.esimRef ?? ''
  }
  return {
    ...common,
    suspend: {
      async arrange() {
        const esim = await bought()
        return { attempt: ({ esimProviders }) => esimProviders['esim-access'].suspend(esim) }
      },
    },
    unsuspend: {
      async arrange() {
        const esim = await bought()
        await clean.suspend(esim)
        return { attempt: ({ esimProviders }) => esimProviders['esim-access'].unsuspend(esim) }
      },
    },
  } satisfies Record<string, Call>
}

export function airaloCalls(harness: Harness) {
  const state = shared(() => harness.sims.airalo.state())
  const ordered = async (ref: string) => (await state()).orders.filter(({ description }) => description === ref).length
  const calls = callsOf(harness, 'airalo', {
    placed: ordered,
    topUps: ordered,
    cancels: async (ref) => (await state()).refunds.filter(({ iccids }) => iccids.includes(ref)).length,
  })
  // Its 404 of a call that reads has no words, and means that there is none; who looks asks again (activities/failures.ts).
  return withAll(calls, { refusedBy: ['answers 404'] })
}
