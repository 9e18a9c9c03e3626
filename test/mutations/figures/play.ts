/**
 * Runs in a copy of the sources with all mutants of the figures: plants each violation once, and reads its figure with
 * one mutant after the other. Its arguments are the file for the ids of those that were noticed, and the mutants.
 */
import { writeFile } from 'node:fs/promises'
import { readExportFigures } from '../../../api/evidence/exports.ts'
import { readSubProcessorFigures } from '../../../api/evidence/sub-processors.ts'
import { readAccountFigures } from '../../../db/evidence/accounts.ts'
import { readKeyFigures } from '../../../db/evidence/keys.ts'
import { readOrderFigures } from '../../../db/evidence/orders.ts'
import { readPolicyFigures } from '../../../db/evidence/policy.ts'
import { readPromotionFigures } from '../../../db/evidence/promotions.ts'
import { readRetentionFigures } from '../../../db/evidence/retention.ts'
import { readRightsFigures } from '../../../db/evidence/rights.ts'
import { readSchemaFigures } from '../../../db/evidence/schema.ts'
import { evaluate, type Readings } from '../../../policy/figures.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { edges } from '../../promises/edges.ts'
import { type Fixture, openFixture } from '../../promises/fixture.ts'
import { planted } from '../../promises/planted.ts'

declare global {
  /** what the instrumented modules ask for the mutant that is active */
  var __stryker__: { activeMutant?: string | undefined; mutantCoverage?: { static: object; perTest: object } }
}

const [found = '', listed = '[]'] = process.argv.slice(2)
const asked: string[] = JSON.parse(listed)
const mutants = asked.map((text) => {
  const [id = '', file = ''] = text.split(' ')
  return { id, file }
})

/** The reader of each file. */
const readersOf = ({ sql, api, asOf }: Fixture): Record<string, () => Readings | Promise<Readings>> => {
  const { config } = api
  return {
    'db/evidence/schema.ts': () => readSchemaFigures(sql),
    'db/evidence/accounts.ts': () => readAccountFigures(sql, api, asOf),
    'db/evidence/orders.ts': () => readOrderFigures(sql, asOf),
    'db/evidence/promotions.ts': () => readPromotionFigures(sql),
    'db/evidence/retention.ts': () =>
      readRetentionFigures(sql, asOf, { years: config.BOOKS_YEARS, countFrom: config.BOOKS_COUNT_FROM }),
    'db/evidence/rights.ts': () => readRightsFigures(sql, asOf),
    'db/evidence/policy.ts': () => readPolicyFigures(sql),
    'db/evidence/keys.ts': () => {
      const { activeId, keys } = config.FIELD_KEYS
      return readKeyFigures(sql, { field: { activeId, ids: [...keys.keys()] }, payload: undefined }, asOf)
    },
    'api/evidence/exports.ts': () => readExportFigures(),
    'api/evidence/sub-processors.ts': () => readSubProcessorFigures(config),
  }
}

const killed = new Set<string>()

/** With this mutant, does the reader still say of its figures what it should? */
async function isAsExpected(read: () => Readings | Promise<Readings>, expected: (readings: Readings) => boolean) {
  try {
    return expected(await read())
  } catch {
    // A figure that cannot be read is unknown: a promise without a figure is not kept.
    return false
  }
}

async function meet(
  file: string,
  read: () => Readings | Promise<Readings>,
  expected: (readings: Readings) => boolean,
): Promise<void> {
  if (!(await isAsExpected(read, expected))) throw new Error(`${file} does not show it without a mutant`)
  for (const { id } of mutants.filter((mutant) => mutant.file === file && !killed.has(mutant.id))) {
    globalThis.__stryker__.activeMutant = id
    if (!(await isAsExpected(read, expected))) killed.add(id)
    globalThis.__stryker__.activeMutant = undefined
  }
}

globalThis.__stryker__ ??= {}
/** Evaluated once, when the module was loaded: no switch changes these any more. */
const tables = Object.keys(globalThis.__stryker__.mutantCoverage?.static ?? {})
const fixture = await openFixture()
const readers = Object.entries(readersOf(fixture))
const states = [...Object.values(planted).flatMap(({ violations }) => violations), ...edges]
for (const [file, read] of readers) {
  const names = keysOf(await read())
  const isKept = (readings: Readings) => names.every((name) => evaluate(name, readings[name]) === 'kept')
  await meet(file, read, isKept)
  for (const { figure, plant, mend } of states) {
    if (!names.includes(figure)) continue
    await plant(fixture)
    // test/promises/violations.test.ts compares the same: status, value and detail of the figure.
    const shown = (readings: Readings) => JSON.stringify([evaluate(figure, readings[figure]), readings[figure]])
    const asItIs = shown(await read())
    await meet(file, read, (readings) => shown(readings) === asItIs)
    await mend(fixture)
  }
}
const reached = Object.keys(globalThis.__stryker__.mutantCoverage?.static ?? {})
await writeFile(found, JSON.stringify({ killed: [...killed], reached, tables }))
await fixture.close()
process.exit(0)
