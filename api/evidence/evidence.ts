/** Reads every figure from the live system, and decides by them whether each promise is kept. */
import type { ApiContext } from '../../context.ts'
import { readAccountFigures } from '../../db/evidence/accounts.ts'
import { readKeyFigures } from '../../db/evidence/keys.ts'
import { readOrderFigures } from '../../db/evidence/orders.ts'
import { readPolicyFigures } from '../../db/evidence/policy.ts'
import { readPromotionFigures } from '../../db/evidence/promotions.ts'
import { readRetentionFigures } from '../../db/evidence/retention.ts'
import { readRightsFigures } from '../../db/evidence/rights.ts'
import { readSchemaFigures } from '../../db/evidence/schema.ts'
import {
  evaluate,
  type FigureName,
  type FigureStatus,
  figures,
  type Reading,
  type Readings,
} from '../../policy/figures.ts'
import { type PromiseEntry, type PromiseId, promises } from '../../policy/promises.ts'
import { entriesOf, keysOf, tableOf } from '../../shared/keys-of.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { readExportFigures } from './exports.ts'
import { readSubProcessorFigures } from './sub-processors.ts'

export interface EvaluatedFigure extends Reading {
  name: FigureName
  status: FigureStatus
  readAt: Date
}

export interface EvaluatedPromise {
  id: PromiseId
  status: FigureStatus
  figures: EvaluatedFigure[]
}

export interface Evidence {
  readAt: Date
  promises: EvaluatedPromise[]
}

/** A reading takes some twenty statements: frequent callers share one. */
const freshForMs = 15_000

export type EvidenceReader = ReturnType<typeof createEvidence>

export function createEvidence(api: ApiContext) {
  return {
    /** The evidence, at most 15 seconds old. Never rejects: a figure that cannot be read is `unknown`. */
    latest: shareReading(freshForMs, (now) => readEvidence(api, now)),
    /** The evidence as of another time, for the sandbox. */
    asOf: (time: Date): Promise<Evidence> => readEvidence(api, time),
  }
}

/** Reads all figures. @param asOf the time for which the figures are computed */
export async function readEvidence(api: ApiContext, asOf: Date): Promise<Evidence> {
  const { sql, config, cipher, log } = api
  const keyrings = {
    field: { activeId: cipher.activeKekId, ids: [...config.FIELD_KEYS.keys.keys()] },
    payload: config.PAYLOAD_KEYS && { activeId: config.PAYLOAD_KEYS.activeId },
  }
  const booksPeriod = { years: config.BOOKS_YEARS, countFrom: config.BOOKS_COUNT_FROM }
  const groups: Record<string, () => Readings | Promise<Readings>> = {
    schema: () => readSchemaFigures(sql),
    accounts: () => readAccountFigures(sql, api, asOf),
    orders: () => readOrderFigures(sql, asOf),
    promotions: () => readPromotionFigures(sql),
    retention: () => readRetentionFigures(sql, asOf, booksPeriod),
    rights: () => readRightsFigures(sql, asOf),
    policy: () => readPolicyFigures(sql),
    keys: () => readKeyFigures(sql, keyrings, asOf),
    exports: readExportFigures,
    parties: () => readSubProcessorFigures(config),
  }
  const read = await Promise.all(
    Object.entries(groups).map(async ([group, readGroup]) => {
      try {
        return Object.entries(await readGroup()).map(([name, reading]) => [name, { ...reading, readAt: new Date() }])
      } catch (error) {
        log.error({ error, group }, 'figures could not be read')
        return []
      }
    }),
  )
  const readings: Partial<Record<FigureName, Reading & { readAt: Date }>> = Object.fromEntries(read.flat())
  const evaluated = tableOf(keysOf(figures), (name): EvaluatedFigure => {
    const reading = readings[name] ?? { value: null, readAt: new Date() }
    return { ...reading, name, status: evaluate(name, reading) }
  })
  return {
    readAt: asOf,
    promises: entriesOf<Record<PromiseId, PromiseEntry>>(promises).map(([id, entry]) => {
      const its = entry.figures.map((name) => evaluated[name])
      return { id, status: worst(its.map(({ status }) => status)), figures: its }
    }),
  }
}

function worst(statuses: FigureStatus[]): FigureStatus {
  if (statuses.includes('broken')) return 'broken'
  return statuses.includes('unknown') ? 'unknown' : 'kept'
}
