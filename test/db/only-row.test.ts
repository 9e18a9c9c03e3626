import { expect, test } from 'vitest'
import { onlyRow } from '../../db/connection/only-row.ts'

test('the row of a count is there, and a statement without one is a fault', () => {
  expect(onlyRow([{ count: 0 }])).toEqual({ count: 0 })
  expect(() => onlyRow([])).toThrow('a statement that always returns a row has returned none')
})
