/** The versioning behaviour of every workflow. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import * as workflows from '../../workflows/index.ts'
import { versioning } from '../../workflows/versioning/behaviors.ts'
import * as versioned from '../../workflows/versioning/entry.ts'
import { keptFolder } from '../replay/kept.ts'

test('the versioning table has an entry with a reason for each workflow, and no other', () => {
  expect(Object.keys(versioning).sort()).toEqual(Object.keys(workflows).sort())
  for (const [type, { reason }] of Object.entries(versioning)) expect([type, reason.length > 10]).toEqual([type, true])
})

test('each versioning behaviour is one that the server knows', () => {
  expect(new Set(Object.values(versioning).map(({ behavior }) => behavior))).toEqual(
    new Set(['AUTO_UPGRADE', 'PINNED']),
  )
})

test('no kept history of a pinned workflow waits for a day', async () => {
  const files = await readdir(keptFolder)
  const waits = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(new URL(file, keptFolder), 'utf8')
      const type = /"workflowType":\{"name":"(\w+)"/.exec(text)?.[1] ?? ''
      const timers = [...text.matchAll(/"startToFireTimeout":"([\d.]+)s"/g)].map(([, seconds]) => Number(seconds))
      return { type, days: Math.max(0, ...timers) / 86_400 }
    }),
  )
  const behaviors: Record<string, { behavior: string }> = versioning
  expect(waits.filter(({ type }) => !(type in behaviors))).toEqual([])
  const waiting = waits.filter(({ days }) => days >= 1)
  expect(waiting.length).toBeGreaterThan(10)
  expect(waiting.filter(({ type }) => behaviors[type]?.behavior === 'PINNED')).toEqual([])
})

test('the versioned entry of the bundle exports every workflow with its behaviour', () => {
  const behaviors = Object.entries(versioned).map(([type, workflow]) => [
    type,
    'workflowDefinitionOptions' in workflow ? workflow.workflowDefinitionOptions : undefined,
  ])
  const wanted = Object.entries(versioning).map(([type, { behavior }]) => [type, { versioningBehavior: behavior }])
  expect(Object.fromEntries(behaviors)).toEqual(Object.fromEntries(wanted))
})
