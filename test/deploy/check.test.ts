/** `npm run deploy -- check` refuses a build before it gets any work. */
import { expect, test } from 'vitest'
import type { CheckResult } from '../../cli/deploy/replay-check.ts'
import { check, type Rollout } from '../../cli/deploy/rollout.ts'

/** Runs the check with this result of the replay. @returns what it said */
async function checked(result: Partial<CheckResult>): Promise<string[]> {
  const said: string[] = []
  const rollout: Pick<Rollout, 'check' | 'say'> = {
    check: async () => ({ kept: 3, open: 2, leftOut: 0, failed: [], ...result }),
    say: (line) => void said.push(line),
  }
  await check(rollout)
  return said
}

test('a build whose histories all replay is let through', async () => {
  expect(await checked({})).toEqual(['All 5 histories replay.'])
})

test('a build without the kept histories is refused, also when all open runs replay', async () => {
  await expect(checked({ kept: 0 })).rejects.toThrow('This build has no kept histories')
})

test('a build that does not replay a history is refused, with its name and the cause', async () => {
  const failed = [{ name: 'order-paid.1 (kept)', cause: 'Nondeterminism error' }]
  await expect(checked({ failed })).rejects.toThrow(
    '1 of 5 histories do not replay:\n  order-paid.1 (kept): Nondeterminism error',
  )
})
