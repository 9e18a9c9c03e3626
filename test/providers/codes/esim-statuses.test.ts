/**
 * Each status of the eSIM providers' tables means what its table says; one that no table has means nothing, and is
 * visible.
 */
import { createHmac } from 'node:crypto'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createAiralo } from '../../../providers/airalo/airalo.ts'
import {
  airaloOrderStatuses,
  airaloUsageStatuses,
  esimAccessEvents,
  esimAccessProfileStatuses,
  esimAccessStatuses,
} from '../../../providers/codes/esim-values.ts'
import { createEsimAccess } from '../../../providers/esim-access/esim-access.ts'
import { startAiralo } from '../../../sim/airalo.ts'
import { controlOf } from '../../../sim/control.ts'
import { startEsimAccess } from '../../../sim/esim-access.ts'

const unlisted: string[] = []
const watch = {
  answered: () => undefined,
  failed: () => undefined,
  unlisted: (party: string, code: string) => void unlisted.push(`${party} ${code}`),
}
const [accessSim, airSim] = await Promise.all([
  startEsimAccess({ accessCode: 'x', secretKey: 'x', webhookUrl: '' }),
  startAiralo({ clientId: 'x', clientSecret: 'x', webhookUrl: '' }),
])
const access = controlOf(accessSim)
const air = controlOf(airSim)
const esimAccess = createEsimAccess({
  baseUrl: `${accessSim.url}/api/v1/open`,
  accessCode: 'x',
  secretKey: 'x',
  timeoutMs: 20_000,
  watch,
})
const airalo = createAiralo({
  baseUrl: `${airSim.url}/v2`,
  clientId: 'x',
  clientSecret: 'x',
  timeoutMs: 20_000,
  watch,
})

beforeEach(() => {
  unlisted.length = 0
})
afterAll(() => Promise.all([accessSim.stop(), airSim.stop()]))

const profile = {
  esimTranNo: '1',
  orderNo: 'B1',
  transactionId: 'ref',
  iccid: '89',
  ac: 'LPA:1$a$b',
  totalVolume: 1,
  orderUsage: 1,
}
const between = { from: '2026-01-01T00:00:00.000Z', to: '2026-01-02T00:00:00.000Z' }

async function profileIs(esimStatus: string, smdpStatus: string | null): Promise<void> {
  const body = { success: true, errorCode: '0', obj: { esimList: [{ ...profile, esimStatus, smdpStatus }] } }
  await access.fault({ match: { path: '/esim/query' }, status: 200, body })
}

async function accessState(esimStatus: string, smdpStatus: string | null) {
  await profileIs(esimStatus, smdpStatus)
  return (await esimAccess.getStatus('1')).state
}

async function usageState(status: string) {
  const data = { status, remaining: 1, total: 1, is_unlimited: false, expired_at: null }
  await air.fault({ match: { path: '/usage$' }, status: 200, body: { data } })
  return (await airalo.getStatus('89')).state
}

async function orderAlive(slug: string) {
  const order = { id: 1, type: 'sim', description: 'ref', created_at: null, currency: 'USD', status: { slug } }
  await air.fault({ match: { path: '/v2/orders\\?' }, status: 200, body: { data: [order], meta: { last_page: 1 } } })
  for await (const [listed] of airalo.listOrders(between)) return listed?.alive
  return undefined
}

test('each listed status of an eSIM is read as its table says, and nobody is told', async () => {
  for (const [status, { state }] of Object.entries(esimAccessStatuses))
    expect([status, await accessState(status, 'RELEASED')]).toEqual([status, state])
  for (const [status, { state }] of Object.entries(esimAccessProfileStatuses))
    expect([status, await accessState('GOT_RESOURCE', status)]).toEqual([status, state])
  for (const [status, { state }] of Object.entries(airaloUsageStatuses))
    expect([status, await usageState(status)]).toEqual([status, state])
  for (const [slug, { alive }] of Object.entries(airaloOrderStatuses))
    expect([slug, await orderAlive(slug)]).toEqual([slug, alive])
  expect(unlisted).toEqual([])
})

test('no status that eSIM Access documents is news to an operator', async () => {
  // docs.esimaccess.com, "Query All Allocated Profiles", esimStatus
  const documented =
    'CREATE PAYING PAID GETTING_RESOURCE GOT_RESOURCE IN_USE USED_UP UNUSED_EXPIRED USED_EXPIRED CANCEL SUSPENDED REVOKE'
  for (const status of documented.split(' ')) await accessState(status, 'RELEASED')
  expect(unlisted).toEqual([])
})

test('a status that no table has decides nothing, and an operator is told', async () => {
  expect(await accessState('FROZEN', 'ENABLED')).toBe('unknown')
  expect(await accessState('GOT_RESOURCE', 'LINKED')).toBe('unknown')
  expect(await usageState('PAUSED')).toBe('unknown')
  expect(await orderAlive('on_hold')).toBeNull()
  expect(await accessState('constructor', 'toString')).toBe('unknown')
  expect(unlisted).toEqual([
    'esim-access esim_status_frozen',
    'esim-access smdp_status_linked',
    'airalo usage_status_paused',
    'airalo order_status_on_hold',
    'esim-access esim_status_constructor',
    'esim-access smdp_status_tostring',
  ])
})

test('a status that no table has is seen in the provider’s books, too', async () => {
  await profileIs('FROZEN', 'ENABLED')
  for await (const page of esimAccess.listOrders(between)) expect(page).toMatchObject([{ alive: null }])
  expect(unlisted).toEqual(['esim-access esim_status_frozen'])
})

test('an eSIM of which no table has the status is not returned, and not said to be in use', async () => {
  const refused = { success: false, errorCode: '200002', errorMsg: 'no', obj: null }
  await access.fault({ match: { path: '/esim/cancel' }, status: 200, body: refused })
  await profileIs('FROZEN', 'RELEASED')
  await profileIs('FROZEN', 'RELEASED')
  await expect(esimAccess.cancelUnused('1')).rejects.toMatchObject({ kind: 'unavailable' })
  const data = { status: 'PAUSED', remaining: 1, total: 1, is_unlimited: false, expired_at: null }
  await air.fault({ match: { path: '/usage$' }, status: 200, body: { data } })
  await expect(airalo.cancelUnused('89')).rejects.toMatchObject({ kind: 'unavailable', code: 'unknown_state' })
  expect(new Set(unlisted)).toEqual(new Set(['esim-access esim_status_frozen', 'airalo usage_status_paused']))
})

test('a kind of notification that no table has is ignored, and an operator is told', () => {
  const parse = (notifyType: string) =>
    esimAccess.parseWebhook({ rawBody: JSON.stringify({ notifyType, content: { orderNo: 'B1' } }), headers: {} })
  for (const type of Object.keys(esimAccessEvents)) parse(type)
  expect(unlisted).toEqual([])
  expect(parse('SIM_SWAP').hints).toEqual([])
  expect(unlisted).toEqual(['esim-access event_sim_swap'])
  const rawBody = JSON.stringify({ anything: 'else' })
  const signature = createHmac('sha512', 'x').update(rawBody).digest('hex')
  expect(airalo.parseWebhook({ rawBody, headers: { 'airalo-signature': signature } }).hints).toEqual([])
})
