/** U6: accounting and tax duties are met. The files of the books by days, for each day that a calendar has. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
let operator: string
beforeAll(async () => {
  harness = await startApiHarness({
    env: {
      DATEV_CONSULTANT: '1001',
      DATEV_CLIENT: '1',
      DATEV_CLEARING_ACCOUNT: '1360',
      DATEV_REVENUE_ACCOUNTS: 'domestic=8400,member_state=8320,outside_eu=8338',
    },
  })
  operator = await harness.key('operator')
})
afterAll(() => harness.stop())

const ask = (file: string, from: string, to: string) =>
  harness.call('GET', `/v1/books/${file}?from=${from}&to=${to}`, { token: operator })

test.each(['journal', 'datev'])('the %s refuses days of the year 0, which PostgreSQL does not have', async (file) => {
  const { status, body } = await ask(file, '0000-01-01', '0000-12-31')
  expect([status, body.errors.map(({ field }) => field)]).toEqual([400, ['from', 'to']])
})

test.each([
  ['0001-01-01', '0001-01-01'],
  ['9999-12-31', '9999-12-31'],
])('the files have the first and the last day that can be written: %s', async (from, to) => {
  const journal = await ask('journal', from, to)
  expect([journal.status, journal.text.split('\r\n').length]).toEqual([200, 2])
  expect((await ask('datev', from, to)).status).toBe(200)
})
