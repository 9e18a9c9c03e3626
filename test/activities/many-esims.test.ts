/**
 * U2: paid means delivered or refunded. A provider is asked about the eSIMs of an order side by side: ten, one after
 * the other, take longer at a slow one than an attempt may.
 */
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { createActivities } from '../../activities/index.ts'
import { createProviderReturns, type ReturnRecord } from '../../activities/order/provider-returns.ts'
import type { HeldPlacement } from '../../db/order/placements.ts'
import type { EsimProvider } from '../../providers/esim.ts'
import { ProviderFailure } from '../../providers/failure.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await shareStack()
const { context, temporal } = harness
const real = context.esimProviders['esim-access']

/** A context whose eSIM Access answers a moment later, and how many requests it had at the same time. */
function slow(
  methods: (underWay: <Answer>(answer: () => Promise<Answer>) => Promise<Answer>) => Partial<EsimProvider>,
) {
  const seen = { most: 0, now: 0 }
  const provider = methods(async (answer) => {
    seen.now += 1
    seen.most = Math.max(seen.most, seen.now)
    await new Promise(setImmediate)
    seen.now -= 1
    return answer()
  })
  const esimProviders = { ...context.esimProviders, 'esim-access': { ...real, ...provider } }
  return { seen, context: { ...context, temporal, esimProviders } }
}

test('the states of the eSIMs of an order are read side by side', async () => {
  const { id: orderId } = await harness.buy(await harness.signUp(), {
    packageCode: testPackages.onlyEsimAccess,
    quantity: 7,
  })
  const { seen, context: of } = slow((underWay) => ({ getStatus: (ref) => underWay(() => real.getStatus(ref)) }))
  const { refreshEsims } = createActivities(of, async () => ({}))
  expect(await refreshEsims({ orderId, asOf: new Date().toISOString() })).toMatchObject({ ended: false })
  expect(seen).toEqual({ most: 5, now: 0 })
})

test('an eSIM of which its provider does not speak keeps no other one from being asked about', async () => {
  const { id: orderId } = await harness.buy(await harness.signUp(), {
    packageCode: testPackages.onlyEsimAccess,
    quantity: 7,
  })
  const asked: string[] = []
  const { context: of } = slow(() => ({
    getStatus: (ref) => {
      asked.push(ref)
      return asked.length === 1
        ? Promise.reject(new ProviderFailure('esim-access', 'rejected', 'unknown_esim'))
        : real.getStatus(ref)
    },
  }))
  const { refreshEsims } = createActivities(of, async () => ({}))
  const refresh = () => refreshEsims({ orderId, asOf: new Date().toISOString() })
  await expect(new MockActivityEnvironment().run(refresh)).rejects.toThrow()
  expect(new Set(asked).size).toBe(7)
})

const placed = {
  clientRef: 'any',
  packageCode: 'any',
  quantity: 7,
  days: null,
  orderNo: 'B1',
  placedAfter: new Date().toISOString(),
  esimRefs: ['1', '2', '3', '4', '5', '6', '7'],
}

const nowhere = { keep: async () => {} }

test('the eSIMs of an order are returned side by side', async () => {
  const returned: string[] = []
  const { seen, context: of } = slow((underWay) => ({
    cancelUnused: (ref) =>
      underWay(async () => {
        returned.push(ref)
        return 'cancelled' as const
      }),
  }))
  const release = () => createProviderReturns(of).returnEsims({ ...placed, provider: 'esim-access' }, nowhere)
  expect(await new MockActivityEnvironment().run(release)).toEqual({ outcome: 'given_back' })
  expect(returned.sort()).toEqual(placed.esimRefs)
  expect(seen).toEqual({ most: 5, now: 0 })
})

test.each([
  ['has had too many requests', new ProviderFailure('airalo', 'unavailable', 'rate_limited')],
  ['does not answer', new ProviderFailure('airalo', 'unknown_outcome', 'timeout')],
])('a provider that takes eSIMs back together and %s is not asked for each of them', async (_what, fault) => {
  const asked: string[] = []
  const cancelUnused = (ref: string) => {
    asked.push(ref)
    return Promise.reject(fault)
  }
  const airalo = { ...context.esimProviders.airalo, cancelUnused }
  const of = { ...context, temporal, esimProviders: { ...context.esimProviders, airalo } }
  const release = () => createProviderReturns(of).returnEsims({ ...placed, provider: 'airalo' }, nowhere)
  await expect(new MockActivityEnvironment().run(release)).rejects.toThrow()
  expect(asked).toEqual(['1'])
})

type Asked = readonly string[]
type KeptReturn = Parameters<ReturnRecord['keep']>[0]

/** Airalo, whose staff gets the requests that are not refused, and what is kept of them. */
function staffed(answer: (request: Asked) => ProviderFailure | undefined, provider: Partial<EsimProvider> = {}) {
  const requests: Asked[] = []
  const kept: KeptReturn[] = []
  const cancelUnused: EsimProvider['cancelUnused'] = async (esimRef, together) => {
    for (const other of together?.esimRefs ?? []) together?.onAsked(other)
    const request = [esimRef, ...(together?.esimRefs ?? [])]
    requests.push(request)
    const fault = answer(request)
    if (fault) throw fault
    return 'requested'
  }
  const airalo = { ...context.esimProviders.airalo, ...provider, cancelUnused }
  const returns = createProviderReturns({ ...context, esimProviders: { ...context.esimProviders, airalo } })
  const keep = async (each: KeptReturn) => void kept.push(each)
  /** One attempt, which knows what the ones before have kept. */
  const release = (held: Partial<HeldPlacement> = {}) =>
    new MockActivityEnvironment().run(() => {
      const returnsAsked = kept.flatMap(({ marks }) => marks)
      return returns.returnEsims({ ...placed, provider: 'airalo', returnsAsked, ...held }, { keep })
    })
  return { requests, kept, release }
}

const refusal = new ProviderFailure('airalo', 'misconfigured', 'refund_refused')
const tasksOf = (kept: readonly KeptReturn[]) => kept.map(({ marks, task }) => [marks.length, task?.kind, task?.detail])

test('what a provider refuses together is asked for one by one, and what it refuses alone is an operator’s', async () => {
  const { requests, kept, release } = staffed((request) => (request.includes('2') ? refusal : undefined))
  expect(await release({ esimRefs: ['1', '2', '3'] })).toEqual({ outcome: 'given_back' })
  expect(requests).toEqual([['1', '2', '3'], ['1'], ['2'], ['3']])
  expect(tasksOf(kept)).toEqual([
    [3, undefined, undefined],
    [1, 'provider_refund_requested', undefined],
    [1, 'provider_order_unreturned', 'refund_refused'],
    [1, 'provider_refund_requested', undefined],
  ])
  await release({ esimRefs: ['1', '2', '3'] })
  expect(requests).toHaveLength(4)
})

test('an attempt after a refusal does not ask for the same eSIMs together again', async () => {
  const busy = new ProviderFailure('airalo', 'unavailable', 'rate_limited')
  const { requests, release } = staffed((request) => {
    if (request.length > 1) return refusal
    return requests.length === 2 ? busy : undefined
  })
  await expect(release({ esimRefs: ['1', '2'] })).rejects.toMatchObject({ type: 'ProviderUnavailable' })
  expect(await release({ esimRefs: ['1', '2'] })).toEqual({ outcome: 'given_back' })
  expect(requests).toEqual([['1', '2'], ['1'], ['1'], ['2']])
})

test('a refusal that is no word about the request keeps the eSIMs together, and asks for nothing alone', async () => {
  const { requests, kept, release } = staffed(() => new ProviderFailure('airalo', 'misconfigured', 'ip_not_allowed'))
  await expect(release({ esimRefs: ['1', '2'] })).rejects.toMatchObject({ type: 'ProviderUnavailable' })
  expect([requests, kept]).toEqual([
    [
      ['1', '2'],
      ['2', '1'],
    ],
    [],
  ])
})

test('the eSIMs of duplicates go back in one request with those of the order', async () => {
  const esimsOf: Record<string, string[]> = { own: ['1', '2'], copy: ['3'] }
  const { requests, release } = staffed(() => undefined, {
    findOrder: async () => ({ orderNo: 'own', duplicates: ['copy'] }),
    getEsims: async (orderNo) =>
      (esimsOf[orderNo] ?? []).map((esimRef) => ({
        esimRef,
        iccid: esimRef,
        activationCode: '',
        confirmationCode: null,
        apn: null,
        unusedValidUntil: null,
      })),
  })
  expect(await release({ orderNo: null, esimRefs: null, quantity: 2 })).toEqual({ outcome: 'given_back' })
  expect(requests).toEqual([['3', '1', '2']])
})

test('a duplicate that cannot be listed keeps the order’s own eSIMs from nothing', async () => {
  const { requests, release } = staffed(() => undefined, {
    findOrder: async () => ({ orderNo: 'own', duplicates: ['copy'] }),
    getEsims: async () => Promise.reject(new ProviderFailure('airalo', 'unavailable', 'http_503')),
  })
  const attempt = release({ orderNo: null, esimRefs: ['1', '2'] })
  await expect(attempt).rejects.toMatchObject({ type: 'ProviderUnavailable' })
  expect(requests).toEqual([['1', '2']])
})
