/** Whether a notification of a mail server says that an address is dead. */
import { expect, test } from 'vitest'
import { addressIsDead } from '../../../providers/codes/smtp.ts'

test.each([
  ['5.1.1', true],
  ['5.1.6', true],
  ['5.1.10', true],
  // Postfix of a sender that it does not know, and Exchange Online of a sender who has sent too much.
  ['5.1.0', false],
  ['5.1.90', false],
  ['5.1.5', false],
  ['4.1.1', false],
  ['5.1.8', false],
  ['5.2.1', false],
  ['5.7.1', false],
  ['5.99.1', false],
])('a notification with %s: the address is dead: %s', (status, dead) => {
  expect(addressIsDead(status)).toBe(dead)
})
