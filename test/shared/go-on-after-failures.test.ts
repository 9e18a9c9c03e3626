import { expect, test } from 'vitest'
import { failure, failureType } from '../../shared/failures.ts'
import { goOnAfterFailures } from '../../shared/go-on-after-failures.ts'

/** Fails for each item as often as `fails` says. */
function failing(fails: Record<string, number>) {
  const seen: string[] = []
  const left = { ...fails }
  return {
    seen,
    async work(item: string): Promise<void> {
      seen.push(item)
      left[item] = (left[item] ?? 0) - 1
      if (left[item] >= 0) throw failure('PaymentUnavailable', { code: item })
    },
  }
}

test('an item that fails is tried again behind the others, and its failure is thrown when all are done', async () => {
  const { seen, work } = failing({ b: 1, c: 2 })
  const others = goOnAfterFailures()
  await others.each(['a', 'b', 'c', 'd'], work)
  await others.each(['e'], work)
  expect(seen).toEqual(['a', 'b', 'c', 'd', 'b', 'c', 'e'])
  expect(() => others.end()).toThrow(expect.objectContaining({ details: ['c'] }))
})

test('a failed item that the caller takes as left is no failure, and another one is', async () => {
  const { work } = failing({ a: 2, b: 2 })
  const taken: string[] = []
  const others = goOnAfterFailures()
  await others.each(['a', 'b'], work, async (item, error) => {
    if (item === 'b') throw error
    taken.push(`${item} ${failureType(error)}`)
  })
  expect(taken).toEqual(['a PaymentUnavailable'])
  expect(() => others.end()).toThrow(expect.objectContaining({ details: ['b'] }))
})

test('an error that is none of the item’s ends the work at once', async () => {
  const seen: string[] = []
  const others = goOnAfterFailures()
  const work = async (item: string) => {
    seen.push(item)
    throw new Error('the database is down')
  }
  await expect(others.each(['a', 'b'], work)).rejects.toThrow('the database is down')
  expect(seen).toEqual(['a'])
})
