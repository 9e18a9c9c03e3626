/**
 * U2 and U6: the books of outside parties are read within their limits. What is refused since too much was asked is
 * asked again where it was refused: who begins a long list anew asks as much once more, and meets the limit again.
 */
import { createServer } from 'node:http'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createAiralo } from '../../providers/airalo/airalo.ts'
import { createEsimAccess } from '../../providers/esim-access/esim-access.ts'
import { isProviderFailure, waitingForLimits } from '../../providers/failure.ts'
import { createStripe } from '../../providers/stripe/stripe.ts'

interface Answer {
  status: number
  body: unknown
}

/** The pages that were asked for, and how often the second one is still refused. */
let asked: number[] = []
let refusals = 0
let party: Party

interface Party {
  /** the page that a request asks for; undefined for another request */
  pageOf(url: URL, body: string): number | undefined
  page(number: number): unknown
  refused: Answer
  other: unknown
  read(baseUrl: string): AsyncIterable<unknown>
  change(baseUrl: string): Promise<unknown>
}

const server = createServer(async (request, response) => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const page = party.pageOf(new URL(request.url ?? '/', 'http://x'), body)
  if (page !== undefined) asked.push(page)
  const isRefused = page !== undefined && page !== 1 && refusals > 0
  if (isRefused) refusals -= 1
  const answer = isRefused ? party.refused : { status: 200, body: page === undefined ? party.other : party.page(page) }
  // A moment from now: the header of a real one has seconds, or a date.
  const wait = answer.status === 429 ? { 'Retry-After': new Date(Date.now() + 300).toISOString() } : {}
  response.writeHead(answer.status, { 'Content-Type': 'application/json', ...wait }).end(JSON.stringify(answer.body))
})
await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
const address = server.address()
const baseUrl = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
afterAll(() => void server.close())

const between = { from: '2026-11-01T00:00:00Z', to: '2026-11-30T00:00:00Z' }
const lastPage = 3
const secrets = { clientId: 'id', clientSecret: 'secret', accessCode: 'code', secretKey: 'key', timeoutMs: 5_000 }
const tooMany: Answer = { status: 429, body: { message: 'Too Many Attempts.' } }
const payout = (page: number) => ({
  id: `po_${page}`,
  object: 'payout',
  amount: 1,
  currency: 'eur',
  automatic: true,
  reconciliation_status: 'completed',
  status: 'paid',
  failure_code: null,
  created: 1,
})

const parties: Record<string, Party> = {
  'Airalo, with 429': {
    pageOf({ pathname, searchParams }, body) {
      if (pathname !== '/orders') return undefined
      return body.includes('package_id') ? 2 : Number(searchParams.get('page'))
    },
    page: () => ({ data: [], meta: { last_page: lastPage } }),
    refused: tooMany,
    other: { data: { token_type: 'Bearer', expires_in: 86_400, access_token: 'token' } },
    read: (baseUrl) => createAiralo({ ...secrets, baseUrl }).listOrders(between),
    change: (baseUrl) =>
      createAiralo({ ...secrets, baseUrl }).placeOrder({ clientRef: 'r', packageCode: 'p', quantity: 1 }),
  },
  'eSIM Access, which says that it is busy': {
    pageOf(_url, body) {
      const { pager, packageInfoList } = JSON.parse(body)
      return packageInfoList ? 2 : pager.pageNum
    },
    page: () => ({ success: true, obj: { esimList: [{}], pager: { total: lastPage } } }),
    refused: { status: 200, body: { success: false, errorCode: '900001' } },
    other: {},
    read: (baseUrl) => createEsimAccess({ ...secrets, baseUrl }).listOrders(between),
    change: (baseUrl) =>
      createEsimAccess({ ...secrets, baseUrl }).placeOrder({ clientRef: 'r', packageCode: 'p', quantity: 1 }),
  },
  'Stripe, with rate_limit': {
    pageOf: ({ searchParams, pathname }) =>
      pathname.endsWith('/cancel') ? 2 : Number(searchParams.get('starting_after')?.slice(3) ?? 0) + 1,
    page: (number) => ({ object: 'list', data: [payout(number)], has_more: number < lastPage }),
    refused: { status: 429, body: { error: { type: 'invalid_request_error', code: 'rate_limit' } } },
    other: {},
    read: (apiBase) =>
      createStripe({ secretKey: 'sk_test_1', webhookSecret: 'whsec', publishableKey: 'pk', apiBase }).bookedPayouts(
        new Date(between.from),
        new Date(between.to),
      ),
    change: (apiBase) =>
      createStripe({ secretKey: 'sk_test_1', webhookSecret: 'whsec', publishableKey: 'pk', apiBase }).cancelPayment(
        'pi_1',
        'key',
      ),
  },
}

beforeEach(() => {
  asked = []
  refusals = 0
})

async function readAll(): Promise<number> {
  let pages = 0
  for await (const _page of party.read(baseUrl)) pages += 1
  return pages
}

describe.each(Object.entries(parties))('%s', (_name, given) => {
  beforeEach(() => {
    party = given
  })

  test('a page that is refused is asked for again, and no other one', async () => {
    refusals = 2
    let waits = 0
    const read = waitingForLimits(() => {
      waits += 1
    }, readAll)
    expect([await read, asked, waits]).toEqual([lastPage, [1, 2, 2, 2, 3], 2])
  })

  test('who does not wait for limits hears of one at once', async () => {
    refusals = 1
    await expect(readAll()).rejects.toSatisfy((error) => isProviderFailure(error))
    expect(asked).toEqual([1, 2])
  })

  test('what changes something is asked once', async () => {
    refusals = 1
    const change = waitingForLimits(
      () => undefined,
      () => party.change(baseUrl),
    )
    await expect(change).rejects.toSatisfy((error) => isProviderFailure(error))
    expect(asked).toEqual([2])
  })
})
