/** Rules of a restore that need no stack. */
import { expect, test } from 'vitest'
import { rankOf } from '../../cli/restore/rebuild.ts'
import { afterRestore, leftToOperators } from '../../cli/restore/run-types.ts'
import type { PaymentStatus } from '../../providers/stripe/payments.ts'
import * as workflows from '../../workflows/index.ts'

test('a restore knows what becomes of each type of run', () => {
  expect(Object.keys(afterRestore).sort()).toEqual(Object.keys(workflows).sort())
  expect(leftToOperators).toEqual(
    expect.arrayContaining(['breach', 'campaign', 'emailChange', 'keyRotation', 'policyNotice', 'privacyRequest']),
  )
})

test('of several payments of an order the paid one is its own, and a cancelled one only when there is no other', () => {
  const statuses: PaymentStatus[] = ['canceled', 'requires_payment_method', 'processing', 'succeeded']
  const ranks = statuses.map((status) => rankOf({ status }))
  expect(ranks).toEqual(ranks.toSorted())
  expect(new Set(ranks).size).toBe(statuses.length)
  expect(rankOf({ status: 'requires_action' })).toBe(rankOf({ status: 'requires_payment_method' }))
})
