/** `npm run mutation` compares kept histories with a mutant with those without one: without one they have to replay. */
import { expect, test } from 'vitest'
import { createLog } from '../../../shared/log.ts'
import { installRuntime } from '../../../worker/temporal-logger.ts'
import { drawPart } from '../../harness/seed.ts'
import { playKept } from '../../replay/asked/play.ts'
import { readKept } from '../../replay/kept.ts'
import { bundleMutants } from './mutable-bundle.ts'

test('kept histories replay with the mutants of all workflows in the bundle, and say which of them they reach', {
  timeout: 300_000,
}, async () => {
  installRuntime({ log: createLog({ level: 'silent' }) })
  const { code, mutants } = await bundleMutants()
  const kept = drawPart(4)(await readKept())
  expect(kept.length).toBeGreaterThan(50)
  const played = [...(await playKept(code, kept))]
  expect(played.filter(([, { error }]) => error !== undefined)).toEqual([])
  const reached = new Set(played.flatMap(([, { covered }]) => [...covered]))
  expect(reached.size).toBeGreaterThan(mutants.length / 4)
})
