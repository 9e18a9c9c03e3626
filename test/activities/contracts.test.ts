/**
 * An activity that no worker offers leaves its run waiting: every interface of a contract is one that the worker has.
 * And each contract is used by whatever starts the workflow.
 */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { importsOf } from '../image/imports.ts'

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

test('something starts each workflow: its contract is imported, beyond its types, outside of the workflow', async () => {
  const folders = ['activities', 'api', 'cli', 'temporal', 'worker', 'workflows']
  const files = (
    await Promise.all(
      folders.map(async (folder) => {
        const names = await readdir(new URL(`${folder}/`, root), { recursive: true })
        return names.filter((name) => /\.tsx?$/.test(name)).map((name) => `${folder}/${name}`)
      }),
    )
  ).flat()
  const imported = new Set<string>()
  for (const file of files) {
    for (const { target, typeOnly } of importsOf(file, await readFile(new URL(file, root), 'utf8'))) {
      if (!typeOnly && target !== file.replace('.ts', '.contract.ts')) imported.add(target)
    }
  }
  const contracts = files.filter((file) => file.endsWith('.contract.ts'))
  expect(contracts.length).toBeGreaterThan(20)
  const unused = contracts.filter((contract) => !imported.has(contract))
  expect(unused, 'list it in worker/schedules.ts, or start it from a route, an activity or a workflow').toEqual([])
})
