/** What operators write is stored in the clear: it names orders and payments, and nobody. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { taskNote } from '../../api/views/operator-words.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

/** What the API says and what the database says. */
async function isTaken(note: string): Promise<boolean[]> {
  const [row] = await harness.api.sql<{ refused: boolean }[]>`select has_personal_number(${note}) as refused`
  return [taskNote.safeParse(note).success, row?.refused === false]
}

test.each([
  'refunded 01234567-1234-4234-8234-123456789012 by hand',
  'See 01234567-1234-4234-8234-123456789012.',
  'the run order-01234567-1234-4234-8234-123456789012',
  'pi_3MtwBwLkdIwHu7ix28a3tqPa was captured',
  'Stripe: re_1234567890abcdefghijklmn, ch_3P12345678901234567890ab',
  'cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u',
  'in 3 days, 24 of 100',
])('%s names nobody', async (note) => {
  expect(await isTaken(note)).toEqual([true, true])
})

test('no id of ours is refused by chance', async () => {
  for (let count = 0; count < 300; count += 1) {
    expect(taskNote.safeParse(`order ${randomUUID()} is done`).success).toBe(true)
  }
})

test.each([
  'call 0791234567',
  'called +41791234567 about 01234567-1234-4234-8234-123456789012',
  'ann@example.com',
  'ICCID 8910300000001234567',
  're_8910300000001234567',
  'order 01234567-1234-4234-8234-1234567890120',
  'tel_491701234567a',
])('%s is refused', async (note) => {
  expect(await isTaken(note)).toEqual([false, false])
})

test.each([
  'call 079 123 45 67',
  'call +41 (79) 123-45-67',
  'called +41.79.1234567 twice',
  'ICCID 8910 3000 0000 1234 567',
  'ann\uff20example.com',
  'call \uff10\uff17\uff19\uff11\uff12\uff13\uff14\uff15\uff16\uff17',
])('%s is refused, as people write it', (note) => {
  expect(taskNote.safeParse(note).success).toBe(false)
})

test.each(['on 2026-11-30 at 14:05, 2 of 3', 'refunded 4.50 of 12.00 EUR on 30.11.2026', '1 2 3'])(
  '%s is no long number',
  (note) => {
    expect(taskNote.safeParse(note).success).toBe(true)
  },
)
