import { expect, test } from 'vitest'
import { benchInactivitySweep } from '../../bench/measurements/inactivity-sweep.ts'

test('the search for inactive accounts reads one index range and only due rows', async () => {
  const { found, plan } = await benchInactivitySweep(50_000, 400)
  expect(found).toBe(400)
  const ofAccounts = plan.filter((node) => node.includes('accounts'))
  expect(ofAccounts).toEqual([expect.stringMatching(/^Index (Only )?Scan accounts_last_active range, 400 rows$/)])
})
