/** Values that PostgreSQL cannot store or would change are refused with the field's name, or read correctly. */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { readDescribed } from '../../harness/api/described.ts'
import { createSurfer } from '../../harness/browser.ts'
import { openHarness } from '../../harness/harness.ts'
import { visit } from '../../harness/visits.ts'

const harness = await openHarness({ workers: 0, replay: false, books: false })

interface Operation {
  method: string
  path: string
  callers: string[]
  query: string[]
}

const document = await readDescribed(harness.anonymous)
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { 'x-callers': callers, parameters = [] }]) => ({
    method: method.toUpperCase(),
    path,
    callers,
    query: parameters.flatMap((each) => (each.in === 'query' ? [each.name] : [])),
  })),
)
const callerOf = ({ callers }: Operation) =>
  callers.includes('operator') ? harness.operator : callers.includes('service') ? harness.service : harness.anonymous

const cursor = (position: unknown[]): string => Buffer.from(JSON.stringify(position)).toString('base64url')
const yearZero = '0000-01-01T00:00:00Z'

test('a request with NUL in its path or query is refused', async () => {
  const sent = operations.flatMap((operation) => {
    const path = operation.path.replaceAll(/\{\w+\}/g, 'a%00b')
    const queries = operation.query.map((name) => `${operation.path.replaceAll(/\{\w+\}/g, 'x')}?${name}=a%00b`)
    return [path, ...queries].filter((address) => address.includes('%00')).map((address) => ({ operation, address }))
  })
  expect(sent.length).toBeGreaterThan(50)
  for (const { operation, address } of sent) {
    const { status } = await callerOf(operation).call(operation.method, address)
    expect([operation.method, address, status < 500]).toEqual([operation.method, address, true])
  }
})

test('a cursor with NUL, half of a surrogate pair or the year 0 is refused', async () => {
  const lists = operations.filter(({ query }) => query.includes('cursor'))
  expect(lists.length).toBeGreaterThan(4)
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const visitor = await visit(harness.stack, await harness.signUp({ device: false }))
  const positions = [['a\0b'], ['\ud800'], [yearZero, randomUUID()], [yearZero, '\0'], ['\0', randomUUID()]]
  for (const operation of lists) {
    for (const position of positions) {
      const path = operation.path.replaceAll('{id}', randomUUID()).replaceAll(/\{\w+\}/g, '2026-06-20')
      const address = `${path}?cursor=${cursor(position)}`
      const page = operation.callers.includes('console') ? surfer : operation.callers.includes('visitor') && visitor
      if (page) {
        expect([path, position, (await page.open(address)).status]).toEqual([path, position, 400])
        continue
      }
      const answer = await callerOf(operation).get(address)
      expect([path, position, answer.status, answer.body.errors?.[0]?.field]).toEqual([path, position, 400, 'cursor'])
    }
  }
})

const text = 'half \ud800 of a pair'
test.each([
  ['/v1/campaigns', 'subject', { subject: 'An\0offer', paragraphs: ['Ten percent.'] }],
  ['/v1/campaigns', 'paragraphs.1', { subject: 'An offer', paragraphs: ['Ten percent.', text] }],
  ['/v1/privacy-requests', 'message', { kind: 'other', message: 'a\0b', replyTo: 'a@elsewhere.example' }],
  ['/v1/privacy-requests', 'receivedAt', { kind: 'other', message: 'a', replyTo: 'a@b.example', receivedAt: yearZero }],
  [
    '/v1/policies',
    'text',
    { version: 'x', title: 'T', text, changes: ['c'], effectiveAt: '2999-01-01T00:00:00Z', material: false },
  ],
  [
    '/v1/policies',
    'effectiveAt',
    { version: '2026-06-20', title: 'T', text: 'a', changes: ['c'], effectiveAt: yearZero, material: false },
  ],
])('POST %s refuses what cannot be stored as %s', async (path, field, body) => {
  const answer = await harness.operator.post(path, body)
  expect([answer.status, answer.body.errors?.map((error: { field: string }) => error.field)]).toEqual([400, [field]])
})

test('an account’s id in capital letters finds the account', async () => {
  const person = await harness.signUp({ device: false })
  const path = `/v1/accounts/${person.accountId.toUpperCase()}`
  const answers = [
    await harness.operator.get(path),
    await person.caller.get(path),
    await harness.service.patch(path, { lastName: 'Other' }),
    await harness.service.put(`${path}/devices/d`, { platform: 'ios' }),
    await harness.service.put(`${path}/consents/promotions`, { granted: true, source: 'support' }),
    await harness.service.post(`${path}/sign-ins`, {}),
    await person.caller.get(`${path}/export`),
  ]
  expect(answers.map(({ status }) => status)).toEqual(Array(answers.length).fill(200))
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).body.lastName).toBe('Other')
})

test('a push token that many devices register simultaneously belongs to one of them, without a 500', async () => {
  const people = await Promise.all(Array.from({ length: 10 }, () => harness.signUp({ device: false })))
  const paths = people.flatMap(({ accountId }) =>
    Array.from({ length: 12 }, (_, index) => `/v1/accounts/${accountId}/devices/d${index}`),
  )
  const body = { platform: 'ios', pushToken: randomUUID() }
  const answers = await Promise.all(paths.map((path) => harness.service.put(path, body)))
  expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 503)).toEqual([])
  const [row] = await harness.context.sql<{ count: number }[]>`
    select count(*)::int as count from devices where push_token_index is not null`
  expect(row?.count).toBe(1)
})
