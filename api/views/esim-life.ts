import { findEsimsWithTopUps } from '../../db/catalogue/packages.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import type { Queryable } from '../../db/connection/database.ts'
import type { OwnedEsim, StoredEsim } from '../../db/order/esims.ts'
import { isUsable } from '../../providers/esim.ts'
import type { EsimLife } from '../pages/install/esim-status.tsx'

/** An eSIM's state, validity and usage, for pages. */
export const esimLife = (esim: StoredEsim): EsimLife => ({
  state: esim.state,
  suspended: esim.suspended,
  totalBytes: numberOrNull(esim.totalBytes),
  usedBytes: Number(esim.usedBytes),
  checkedAt: esim.checkedAt,
  validityStarts: esim.validityStarts,
  activatedAt: esim.activatedAt,
  unusedUntil: esim.unusedUntil,
  expiresAt: esim.expiresAt,
})

/**
 * Whether an eSIM is in a state in which more data can be ordered for it. A suspended one may never run again, and an
 * unused one whose return was asked for goes back once its provider answers (`isBeingReturned`).
 */
export const takesTopUps = (esim: Pick<OwnedEsim, 'delivered' | 'state' | 'suspended' | 'returnAsked'>): boolean =>
  esim.delivered && isUsable(esim) && !esim.suspended && !(esim.returnAsked && esim.state === 'new')

/** For which of some eSIMs more data can be ordered: those that take it, and for which a top-up is on sale. */
export const findEsimsToTopUp = (
  sql: Queryable,
  esims: readonly (Parameters<typeof takesTopUps>[0] & { id: string })[],
): Promise<Set<string>> =>
  findEsimsWithTopUps(
    sql,
    esims.filter(takesTopUps).map(({ id }) => id),
  )
