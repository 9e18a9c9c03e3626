/** Work on several things at a time begins nothing more after a fault, and is over when it ends. */
import { expect, test } from 'vitest'
import { mapUntilFault } from '../../shared/map-until-fault.ts'
import { until } from '../harness/until.ts'

test('results are in the order of the items, whatever ends first', async () => {
  const ends: Record<number, () => void> = {}
  const doubled = mapUntilFault(
    [1, 2],
    (item) => new Promise<number>((resolve) => Object.assign(ends, { [item]: () => resolve(2 * item) })),
    { concurrency: 2 },
  )
  await until('both are under way', () => ends[1] && ends[2])
  ends[2]?.()
  ends[1]?.()
  expect(await doubled).toEqual([2, 4])
})

test('after a fault no item is begun, and the first fault is thrown once nothing is under way', async () => {
  const begun: number[] = []
  const over: number[] = []
  let endSlow = (): void => {}
  const slow = new Promise<void>((resolve) => {
    endSlow = resolve
  })
  const work = mapUntilFault(
    [1, 2, 3, 4],
    async (item) => {
      begun.push(item)
      if (item === 1) await slow
      over.push(item)
      throw new Error(`fault of ${item}`)
    },
    { concurrency: 2 },
  )
  const ended = expect(work).rejects.toThrow('fault of 2')
  await until('the second is over', () => over.length > 0)
  endSlow()
  await ended
  expect(begun).toEqual([1, 2])
  expect(over).toEqual([2, 1])
})

test('a fault that is undefined is thrown as well', async () => {
  await expect(mapUntilFault([1], () => Promise.reject(undefined), { concurrency: 1 })).rejects.toBeUndefined()
})
