/** The versioning behaviour of every workflow. */
import { expect, test } from 'vitest'
import * as workflows from '../../workflows/index.ts'
import { versioning } from '../../workflows/versioning/behaviors.ts'
import * as versioned from '../../workflows/versioning/entry.ts'

test('the versioning table has an entry with a reason for each workflow, and no other', () => {
  expect(Object.keys(versioning).sort()).toEqual(Object.keys(workflows).sort())
  for (const [type, { reason }] of Object.entries(versioning)) expect([type, reason.length > 10]).toEqual([type, true])
})

test('runs that end within hours are pinned, and runs that wait for days are upgraded', () => {
  const typesOf = (wanted: string): string[] =>
    Object.entries(versioning).flatMap(([type, { behavior }]) => (behavior === wanted ? [type] : []))
  expect(typesOf('PINNED').sort()).toEqual([
    'backup',
    'booksCohorts',
    'catalogueSync',
    'draftSweep',
    'housekeeping',
    'inactivitySweep',
    'keyCheck',
    'paymentSweep',
    'reconciliation',
    'restoreDrill',
    'transparencyNight',
  ])
  expect(typesOf('AUTO_UPGRADE')).toHaveLength(Object.keys(versioning).length - 11)
})

test('the versioned entry of the bundle exports every workflow with its behaviour', () => {
  const behaviors = Object.entries(versioned).map(([type, workflow]) => [
    type,
    (workflow as { workflowDefinitionOptions?: unknown }).workflowDefinitionOptions,
  ])
  const wanted = Object.entries(versioning).map(([type, { behavior }]) => [type, { versioningBehavior: behavior }])
  expect(Object.fromEntries(behaviors)).toEqual(Object.fromEntries(wanted))
})
