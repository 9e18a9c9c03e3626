/** The versioning behaviour of every workflow. */
import { expect, test } from 'vitest'
import * as workflows from '../../workflows/index.ts'
import { versioning } from '../../workflows/versioning/behaviors.ts'
import * as versioned from '../../workflows/versioning/entry.ts'

test('the versioning table has an entry with a reason for each workflow, and no other', () => {
  expect(Object.keys(versioning).sort()).toEqual(Object.keys(workflows).sort())
  for (const [type, { reason }] of Object.entries(versioning)) expect([type, reason.length > 10]).toEqual([type, true])
})

test('the versioned entry of the bundle exports every workflow with its behaviour', () => {
  const behaviors = Object.entries(versioned).map(([type, workflow]) => [
    type,
    (workflow as { workflowDefinitionOptions?: unknown }).workflowDefinitionOptions,
  ])
  const wanted = Object.entries(versioning).map(([type, { behavior }]) => [type, { versioningBehavior: behavior }])
  expect(Object.fromEntries(behaviors)).toEqual(Object.fromEntries(wanted))
})
