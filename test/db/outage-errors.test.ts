/** A database that cannot be reached is an outage, which passes: for the API as for a command. */
import { expect, test } from 'vitest'
import { isOutage } from '../../api/http/error-handler.ts'
import { whyAway } from '../../cli/run-command.ts'
import { connectionCodes } from '../../db/connection/connection-codes.ts'

test.each([...connectionCodes])('an error %s is answered as 503, and named by a command', (code) => {
  const error = Object.assign(new Error('planted'), { code })
  expect(isOutage(error)).toBe(true)
  expect(isOutage(new Error('outer', { cause: error }))).toBe(true)
  expect(whyAway(error, {})).toContain('PostgreSQL does not answer')
})

test('an error of our code is no outage', () => {
  expect(isOutage(new TypeError('undefined is not a function'))).toBe(false)
  expect(isOutage(Object.assign(new Error('a unique violation'), { code: '23505' }))).toBe(false)
})
