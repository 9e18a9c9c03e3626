/**
 * R1: an account is kept until it is unused for 3 years. Only the lost database knew who had come back since the dump;
 * and what is no use of an account does not keep it.
 */
import { expect, test } from 'vitest'
import { createInactivityActivities } from '../../../activities/retention/account-inactivity.ts'
import { setPromotions } from '../../../db/consents.ts'
import { findInactivity, isUsedAgain, warnAgain } from '../../../db/inactivity.ts'
import { plusDays, plusYears } from '../../../shared/calendar.ts'
import { shareStack } from '../../harness/harness.ts'

const harness = await shareStack({ books: false })
const { sql } = harness.context
const { beginInactivity, stillInactive } = createInactivityActivities({
  ...harness.context,
  temporal: harness.temporal,
})
const at = new Date()
const asOf = at.toISOString()

/** A person whose account is to be deleted in so many days. */
async function unused(daysLeft: number) {
  const { accountId } = await harness.signUp({ device: false })
  const lastUsed = plusYears(plusDays(at, daysLeft), -3)
  await sql`update accounts set last_active_at = ${lastUsed} where id = ${accountId}`
  const begun = await beginInactivity({ accountId, asOf: plusDays(at, daysLeft - 61).toISOString() })
  if (begun === 'gone') throw new Error('no account')
  expect(begun.deletesAt).toBe(plusDays(at, daysLeft).toISOString())
  return { accountId, ...begun }
}

test('R1: after a restore nobody is deleted who may have come back since the dump: all warnings come again', async () => {
  const [soon, warned, later] = [await unused(1), await unused(30), await unused(90)]
  await sql.begin((tx) => warnAgain(tx, at))
  for (const { accountId, lastActiveAt } of [soon, warned]) {
    // The run that was there ends, as does a deletion that it has begun.
    expect(await stillInactive({ accountId, lastActiveAt, checkBy: asOf, asOf })).toBe('active')
    expect(await sql.begin((tx) => isUsedAgain(tx, accountId))).toBe(true)
    expect(await beginInactivity({ accountId, asOf })).toMatchObject({
      firstWarnedAt: null,
      deletesAt: plusDays(at, 60).toISOString(),
    })
  }
  const { accountId, lastActiveAt } = later
  expect(await stillInactive({ accountId, lastActiveAt, checkBy: asOf, asOf })).toBe('inactive')
  expect(await findInactivity(sql, accountId)).toMatchObject({ deletes_at: plusDays(at, 90) })
})

test('R1: a report of a sign-in provider is no use of the account, and a decision of its person is', async () => {
  const { accountId, lastActiveAt } = await unused(30)
  const isInactive = () => stillInactive({ accountId, lastActiveAt, checkBy: asOf, asOf })
  await sql`update accounts set promotions = true where id = ${accountId}`
  await setPromotions(sql, { accountId, granted: false, source: 'sign_in_provider', at })
  expect(await isInactive()).toBe('inactive')
  await setPromotions(sql, { accountId, granted: true, source: 'web', at })
  expect(await isInactive()).toBe('active')
})
