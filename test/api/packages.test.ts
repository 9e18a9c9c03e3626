import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness

beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

const costCanary = 123_456_789

async function addPackage(fields: Record<string, unknown> = {}): Promise<string> {
  const code = `p-${randomUUID()}`
  const now = new Date()
  await harness.api.sql`insert into packages ${harness.api.sql({
    code,
    kind: 'base',
    name: 'Test 3 GB',
    destinations: ['XA'],
    data_bytes: 3_221_225_472,
    daily: false,
    days: 30,
    price_minor: 1_290,
    currency: 'EUR',
    active: true,
    updated_at: now,
    ...fields,
  })}`
  await harness.api.sql`insert into package_offers ${harness.api.sql({
    package_code: code,
    provider: 'esim-access',
    provider_package_code: `secret-${code}`,
    family: code,
    cost_micros: costCanary,
    cost_currency: 'USD',
    available: true,
    seen_at: now,
  })}`
  return code
}

const list = (query: string) => harness.call('GET', `/v1/packages?${query}`)

test('the public list of packages has our prices and not our costs', async () => {
  const code = await addPackage({ destinations: ['XB', 'XC'] })
  const answer = await list('destination=XC')
  expect(answer.body).toEqual({
    items: [
      {
        code,
        kind: 'base',
        name: 'Test 3 GB',
        destinations: ['XB', 'XC'],
        dataBytes: 3_221_225_472,
        daily: false,
        days: 30,
        price: { minor: 1_290, currency: 'EUR' },
        takesTopUps: false,
        validityStarts: null,
        networks: null,
      },
    ],
    nextCursor: null,
  })
  expect(answer.text).not.toMatch(new RegExp(`${costCanary}|secret-|USD|esim-access`))
})

test('the list of packages has null for unlimited data, top-ups only on request, and no withdrawn packages', async () => {
  const unlimited = await addPackage({ destinations: ['XD'], data_bytes: null, daily: true })
  const topUp = await addPackage({ destinations: ['XD'], kind: 'top_up' })
  await addPackage({ destinations: ['XD'], active: false })
  const [base, topUps] = await Promise.all([list('destination=XD'), list('destination=XD&kind=top_up')])
  expect(base.body.items).toMatchObject([{ code: unlimited, dataBytes: null, daily: true }])
  expect(topUps.body.items.map((item) => item.code)).toEqual([topUp])
})

test('the pages of the package list have each package once, in order, also while the catalogue changes', async () => {
  const codes = await Promise.all(Array.from({ length: 23 }, () => addPackage({ destinations: ['XE'] })))
  const seen: string[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null; page++) {
    const answer = await list(`destination=XE&limit=5${cursor && `&cursor=${cursor}`}`)
    expect(answer.status, answer.text).toBe(200)
    seen.push(...answer.body.items.map((item) => item.code))
    cursor = answer.body.nextCursor
    if (page === 1) await harness.api.sql`update packages set active = false where code = ${seen[0] ?? ''}`
  }
  expect(seen).toEqual(codes.sort())
})

test('packages are sorted and filtered; pages of each sort have each package once', async () => {
  const add = (fields: Record<string, unknown>) => addPackage({ destinations: ['XF'], ...fields })
  const small = await add({ price_minor: 500, data_bytes: 1_000_000, days: 7 })
  const large = await add({ price_minor: 900, data_bytes: 9_000_000_000, days: 30 })
  const unlimited = await add({ price_minor: 2_000, data_bytes: null, days: 10 })
  const twin = await add({ price_minor: 900, data_bytes: 9_000_000_000, days: 30 })
  const twins = [large, twin].sort()
  const codes = async (query: string): Promise<string[]> => {
    const seen: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const answer = await list(`destination=XF&limit=1&${query}${cursor && `&cursor=${cursor}`}`)
      expect(answer.status, answer.text).toBe(200)
      seen.push(...answer.body.items.map((item) => item.code))
      cursor = answer.body.nextCursor
    }
    return seen
  }
  expect(await codes('sort=price')).toEqual([small, ...twins, unlimited])
  expect(await codes('sort=-price')).toEqual([unlimited, ...twins, small])
  expect(await codes('sort=data')).toEqual([small, ...twins, unlimited])
  expect(await codes('sort=-data')).toEqual([unlimited, ...twins, small])
  expect(await codes('sort=days')).toEqual([small, unlimited, ...twins])
  expect(await codes('sort=-days')).toEqual([...twins, unlimited, small])
  expect(await codes('minDataBytes=2000000&sort=price')).toEqual([...twins, unlimited])
  expect(await codes('unlimited=true')).toEqual([unlimited])
  expect(await codes('unlimited=false&maxPriceMinor=899')).toEqual([small])
  expect(await codes('minDays=11')).toEqual(twins)
})

test('a package that another one dominates is left out of list and destinations, unless it is asked for', async () => {
  const good = await addPackage({ destinations: ['IS'], price_minor: 700 })
  const bad = await addPackage({ destinations: ['IS'], price_minor: 600, dominated: true })
  expect((await list('destination=IS')).body.items.map((item) => item.code)).toEqual([good])
  const all = await list('destination=IS&dominated=included')
  expect(all.body.items.map((item) => item.code)).toEqual([good, bad].sort())
  const { body } = await harness.call('GET', '/v1/destinations?language=de')
  expect(body.items.find((item: { code: string }) => item.code === 'IS')).toEqual({
    code: 'IS',
    name: 'Island',
    region: { code: 'eu', name: 'Europe' },
    packages: 1,
    cheapest: { minor: 700, currency: 'EUR' },
  })
})

test('destinations are sorted by their names in the language of the request', async () => {
  for (const code of ['AT', 'ES', 'SE']) await addPackage({ destinations: [code] })
  const names = async (language: string): Promise<string[]> => {
    const { body } = await harness.call('GET', `/v1/destinations?language=${language}`)
    const items: { code: string; name?: string }[] = body.items
    return items.filter(({ code }) => ['AT', 'ES', 'SE'].includes(code)).map(({ name }) => name ?? '')
  }
  expect(await names('en')).toEqual(['Austria', 'Spain', 'Sweden'])
  expect(await names('de')).toEqual(['Österreich', 'Schweden', 'Spanien'])
  const refused = await harness.call('GET', '/v1/destinations?language=x_y')
  expect([refused.status, refused.body.errors[0]?.field]).toEqual([400, 'language'])
})

test.each([
  ['sort=cost', 'sort'],
  ['minDays=0', 'minDays'],
  ['unlimited=yes', 'unlimited'],
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['limit=1.5', 'limit'],
  ['limit=-5', 'limit'],
  ['limit=all', 'limit'],
  ['limit=5&limit=6', 'limit'],
  ['destination=Germany', 'destination'],
  ['destination=de', 'destination'],
  ['kind=voice', 'kind'],
  ['cursor=x', 'cursor'],
  [`cursor=${Buffer.from('[1]').toString('base64url')}`, 'cursor'],
  [`cursor=${Buffer.from('["a"]').toString('base64url')}`, 'cursor'],
  [`cursor=${Buffer.from('["a","b"]').toString('base64url')}`, 'cursor'],
])('the package list refuses %s', async (query, field) => {
  const answer = await list(query)
  expect([answer.status, answer.body.errors.map((error) => error.field)]).toEqual([400, [field]])
})

test('the package list needs no credentials, and refuses wrong ones', async () => {
  expect((await harness.call('GET', '/v1/packages', { token: await harness.key('service') })).status).toBe(200)
  expect((await harness.call('GET', '/v1/packages', { token: 'nonsense' })).status).toBe(401)
})
