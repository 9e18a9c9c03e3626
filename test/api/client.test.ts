/** The generated client matches the routes, and can buy an eSIM. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { clientDocument, originLine } from '../../cli/generate/client-document.ts'
import { createAmaClient } from '../../client/index.js'
import { shareStack } from '../harness/harness.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const fileOf = (name: string) => readFile(new URL(`../../client/${name}`, import.meta.url), 'utf8')

test('the generated client matches the routes (if not, run `npm run client`)', async () => {
  const { body: served } = await harness.anonymous.get('/openapi.json')
  const json = await fileOf('openapi.json')
  expect(clientDocument(served)).toEqual(JSON.parse(json))
  expect((await fileOf('schema.d.ts')).startsWith(originLine(json))).toBe(true)
})

test('the generated client creates and reads an order that is paid', async () => {
  const api = createAmaClient({ baseUrl: harness.urls.api, token: harness.service.token ?? '' })
  const { accountId } = await harness.signUp()
  const { data: order } = await api.POST('/v1/orders', {
    params: { header: { 'Idempotency-Key': randomUUID() } },
    body: { accountId, packageCode: 'test-germany-1gb' },
  })
  const id = order?.id ?? ''
  expect(order?.status).toBe('awaiting_payment')
  await harness.sims.stripe.do('pay', { orderId: id })
  const delivered = await until('it is delivered', async () => {
    const { data } = await api.GET('/v1/orders/{id}', { params: { path: { id } } })
    return data?.status === 'delivered' && data
  })
  expect(delivered.esims).toHaveLength(1)
})

test('the generated client returns a refusal as a problem', async () => {
  const api = createAmaClient({ baseUrl: harness.urls.api, token: harness.service.token ?? '' })
  const { error, response } = await api.GET('/v1/orders/{id}', { params: { path: { id: randomUUID() } } })
  expect(response.status).toBe(404)
  expect(error?.code).toBe('not_found')
})
