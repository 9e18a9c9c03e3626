/** The programs of the documentation name only what the OpenAPI document has; no compiler is needed for that. */
import { expect, test } from 'vitest'
import { faultsOf, readDocument, snippetsOf } from './snippets.ts'

const document = await readDocument()
const quickstart = 'docs/quickstart.md'

test.each(['kotlin', 'swift'])('the %s programs of the quickstart name what the document has', async (language) => {
  const snippets = await snippetsOf(quickstart, language)
  expect(snippets).toHaveLength(3)
  for (const code of snippets) expect(faultsOf(code, document)).toEqual([])
})

test('each program that places an order says what the customer has seen', async () => {
  const programs = [
    ...(await snippetsOf(quickstart, 'sh')).filter((code) => code.includes('order() {')),
    ...(await snippetsOf(quickstart, 'ts')),
    ...(await snippetsOf(quickstart, 'kotlin')).filter((code) => code.includes('postOrders(')),
    ...(await snippetsOf(quickstart, 'swift')).filter((code) => code.includes('postOrders(')),
    ...(await snippetsOf('client/README.md', 'ts')),
  ]
  expect(programs).toHaveLength(5)
  for (const code of programs) expect(code).toContain('expectedAmount')
})

test('what a program names wrongly is found', () => {
  const kotlin = `orders.postOrders(idempotencyKey = key(1), newOrder = NewOrder(accountId = id, code = x, expectedAmount =
    NewOrderExpectedAmount(minor = cheapest.price.cents)), reason = "accountId = 1") // other: 2
    NewBasket(); PackagesApi(api).getOffers(); OrderStatus.awaiting; order.payment?.secret; order.esims.first().code`
  expect(faultsOf(kotlin, document)).toEqual([
    'NewOrder has no code',
    'NewOrder lacks packageCode',
    'NewOrderExpectedAmount lacks currency',
    'there is no NewBasket',
    'postOrders takes no reason',
    'there is no operation getOffers',
    'OrderStatus has no awaiting',
    'cheapest.price.cents: there is no cents',
    'order.payment?.secret: there is no secret',
  ])
  const swift =
    'try await OrdersAPI.postOrders(id: "x", newOrder: NewOrder(accountId: a, packageCode: b), apiConfiguration: c)'
  expect(faultsOf(swift, document)).toEqual(['postOrders takes no id'])
  expect(faultsOf('OrderStatus.awaitingPayment; payment.publishableKey', document)).toEqual([])
})
