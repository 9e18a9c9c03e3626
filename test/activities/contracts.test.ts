/**
 * An activity that no worker offers leaves its run waiting: every interface of a contract is one that the worker has.
 */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)

test('the worker offers the activities of every contract', async () => {
  const index = await readFile(new URL('activities/index.ts', root), 'utf8')
  const checked = index.slice(index.indexOf('satisfies'))
  const files = await readdir(new URL('workflows/', root), { recursive: true })
  const contracts = files.filter((file) => file.endsWith('.contract.ts'))
  const texts = await Promise.all(contracts.map((file) => readFile(new URL(`workflows/${file}`, root), 'utf8')))
  const named = texts.flatMap((text) =>
    [...text.matchAll(/export interface (\w+Activities)\b/g)].map(([, name]) => name),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => !new RegExp(`\\b${name}\\b`).test(checked))).toEqual([])
})
