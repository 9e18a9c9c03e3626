/**
 * U2, paid means delivered or refunded, and U6, accounting: operators have the books compared with those of outside
 * parties, and read the differences.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountsNamedIn } from '../../../db/access/named-accounts.ts'
import {
  findReconciliation,
  listDifferences,
  listReconciliations,
  type Reconciliation,
} from '../../../db/reconciliation/reconciliations.ts'
import { differenceKinds } from '../../../policy/reconciliation.ts'
import { isoOrNull } from '../../../shared/calendar.ts'
import { isKeyOf } from '../../../shared/keys-of.ts'
import {
  reconciliationType,
  reconciliationWorkflowId,
} from '../../../workflows/reconciliation/reconciliation.contract.ts'
import { actAndRecord, entryOn } from '../../acts/recorded-acts.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { enumeration } from '../../views/enumeration.ts'
import { actReason } from '../../views/operator-words.ts'
import { startAsked, startedRun } from '../../views/started-run.ts'

const time = z.iso.datetime()
const money = z.int()
const count = z.int().nonnegative()
const counts = z.record(z.string(), count)
const sums = z
  .object({
    currency: z.string(),
    grossMinor: money,
    refundsMinor: money,
    disputesMinor: money,
    feesMinor: money,
    otherMinor: money,
    payoutsMinor: money,
    openingMinor: money.describe('the balance at the end of the reading before'),
    closingMinor: money,
    remainderMinor: money.describe('the change of the balance that no transaction explains: must be 0'),
  })
  .meta({ id: 'ReconciliationSums' })
const report = z.object({
  compared: counts.describe('records of the outside party, by step'),
  failed: z.array(z.string()).describe('steps that failed: what they compare is not known'),
  explained: z.record(z.string(), counts).describe('differences that need nobody, by kind and rule'),
  unexplained: counts.describe('differences that are operator tasks, by kind'),
  sums: z.array(sums).describe('Stripe’s balance since the last reading, by currency'),
  balances: z.array(
    z.object({
      provider: z.string(),
      currency: z.string(),
      balanceMicros: money.describe('millionths of the currency’s main unit'),
      daysLeft: z.number().nullable().describe('null when nothing was spent in the last days'),
    }),
  ),
})
const reconciliationState = enumeration('ReconciliationState', 'Whether everything was compared', {
  running: 'It compares',
  complete: 'Every step was done',
  incomplete: 'Steps have failed; `report.failed` names them',
})
const shown = z.object({
  id: z.string(),
  state: reconciliationState.schema,
  startedAt: time,
  readFrom: time.describe('what is older was not looked at'),
  finishedAt: time.nullable(),
  report: report.nullable(),
})
const reconciliation = shown.meta({ id: 'Reconciliation' })
const difference = z.object({
  kind: z.string(),
  subjectId: z.string().describe('the order, or the outside party’s id of what no order has'),
  detail: z.string(),
  meaning: z.string(),
  acts: z.string(),
  cure: z.string(),
  explainedBy: z.string().nullable().describe('null: it is an operator task'),
})
const withDifferences = shown
  .extend({ differences: z.array(difference).describe('unexplained ones first, at most 1000') })
  .meta({ id: 'ReconciliationWithDifferences' })
const list = z.object({ items: z.array(reconciliation) }).meta({ id: 'Reconciliations' })

const listedAtMost = 100
const differencesAtMost = 1_000

export function reconciliationRoutes(api: ApiContext): Route[] {
  const { sql, config, temporal } = api
  return [
    defineRoute({
      method: 'get',
      path: '/v1/reconciliations',
      tag: 'reconciliations',
      summary: 'List reconciliations, the newest first',
      promises: ['U2', 'U6'],
      callers: ['operator'],
      responses: { 200: { description: 'The reconciliations of the last 90 days, at most 100', schema: list } },
      async handle() {
        return { status: 200, body: { items: (await listReconciliations(sql, listedAtMost)).map(view) } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/reconciliations',
      tag: 'reconciliations',
      summary: 'Compare the books now',
      description: 'They are also compared every night. One that is under way is joined.',
      promises: ['U2', 'U6'],
      callers: ['operator'],
      body: actReason.optional(),
      responses: { 202: { description: 'The books are being compared', schema: startedRun } },
      async handle({ body, caller }) {
        const started = await actAndRecord(api, caller, undefined, entryOn('reconcile', null, body), () =>
          startAsked(temporal, {
            type: reconciliationType,
            workflowId: reconciliationWorkflowId,
            taskQueue: config.TEMPORAL_TASK_QUEUE,
            args: [],
            staticSummary: 'Asked for by an operator',
          }),
        )
        return { status: 202, body: started }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/reconciliations/{id}',
      tag: 'reconciliations',
      summary: 'Show a reconciliation with its differences',
      promises: ['U2', 'U6'],
      callers: ['operator'],
      reads: ['orders'],
      params: z.strictObject({ id: z.uuid() }),
      responses: { 200: { description: 'The reconciliation', schema: withDifferences } },
      problems: ['not_found'],
      async handle({ params: { id } }) {
        const found = orNotFound(await findReconciliation(sql, id))
        const differences = await listDifferences(sql, id, differencesAtMost)
        const about = await accountsNamedIn(sql, JSON.stringify(differences))
        return { status: 200, about, body: { ...view(found), differences: differences.map(explained) } }
      },
    }),
  ]
}

const view = ({ startedAt, readFrom, finishedAt, ...rest }: Reconciliation) => ({
  ...rest,
  startedAt: startedAt.toISOString(),
  readFrom: readFrom.toISOString(),
  finishedAt: isoOrNull(finishedAt),
})

/** A difference of a kind that this build does not have any more is shown without what to do. */
function explained({ kind, subjectId, detail, explainedBy }: Awaited<ReturnType<typeof listDifferences>>[number]) {
  const known = isKeyOf(differenceKinds, kind) ? differenceKinds[kind] : undefined
  return {
    kind,
    subjectId,
    detail,
    meaning: known?.meaning ?? '',
    acts: known?.acts ?? '',
    cure: known?.cure.how ?? '',
    explainedBy,
  }
}
