/** docs/capacity.md has the figures of the benchmark, and what follows from them. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { historySizes, withTables } from '../../bench/capacity.ts'
import { readResults } from '../../bench/results.ts'

const text = await readFile(new URL('../../docs/capacity.md', import.meta.url), 'utf8')

test('both tables are those of the results that are kept', async () => {
  const written = withTables(text, await readResults(), await historySizes())
  expect(text, 'npm run bench -- --report writes them').toBe(written)
})

test('another result is another figure, and what is computed from it follows', async () => {
  const { orders, ...others } = await readResults()
  if (!orders) throw new Error('no orders')
  const cpu = { ...orders.figures.cpu, order: { worker: 1000, Temporal: 0, API: 0, PostgreSQL: 0 } }
  const changed = { ...orders, figures: { ...orders.figures, cpu } }
  const written = withTables(text, { ...others, orders: changed }, await historySizes())
  expect(written).toContain('worker 1000, Temporal 0, API 0, PostgreSQL 0: 1000 ms')
  expect(written).toMatch(/\| cores at the peak, all four programs \| 0\.0046 \| 0\.46 \| 4\.6 \|/)
  expect(() => withTables(text, { orders }, { delivered: 1, wholeLife: 1, deletion: 1 })).toThrow('every part')
})
