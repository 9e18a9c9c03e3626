/** A property is read of any value: of errors, and of what an outside party has sent. */
import { expect, test } from 'vitest'
import { propertyOf } from '../../shared/keys-of.ts'

test.each([
  ['an object', { code: 7 }, 7],
  [
    'an error, which has it by its class',
    new (class extends Error {
      readonly code = 'E'
    })(),
    'E',
  ],
  ['an object without it', {}, undefined],
  ['null', null, undefined],
  ['nothing', undefined, undefined],
  ['a text', 'code', undefined],
])('a property of %s', (_what, value, expected) => {
  expect(propertyOf(value, 'code')).toBe(expected)
})
