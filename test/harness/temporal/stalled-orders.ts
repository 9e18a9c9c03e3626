/** Says which orders have stalled, and why: a test of many orders that only runs out of time explains nothing. */
import { readHistory } from '../../../cli/restore/run-history.ts'
import { openRunOf } from '../../../temporal/run-stage.ts'
import { describeRun } from '../../../temporal/runs.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import type { Product } from '../product.ts'
import { type UntilOptions, until } from '../until.ts'

const shownAtMost = 5

/** Describes the row, the runs and the operator tasks of the first few orders. */
async function explain({ context: { sql }, temporal }: Product, orderIds: readonly string[]): Promise<string> {
  const lines = orderIds.slice(0, shownAtMost).map(async (id) => {
    const [row] = await sql`select status, reason, paid_at, deliver_by from orders where id = ${id}`
    const tasks = await sql`select kind, detail from attention where subject_id = ${id} and resolved_at is null`
    const runs = [orderWorkflowId(id), orderAftercareWorkflowId(id)].map(async (workflowId) => {
      const run = await describeRun(temporal, workflowId)
      const waitsFor = (run?.raw.pendingActivities ?? []).map(
        ({ activityType, attempt, lastFailure }) =>
          `${activityType?.name} (attempt ${attempt}${lastFailure ? `, ${lastFailure.message}` : ''})`,
      )
      const { stage, isAtWork } = (await openRunOf(temporal, workflowId)) ?? {}
      const failedWith = run && (await readHistory(temporal, run))?.failedWith
      const said = [stage, isAtWork && 'has a workflow task', failedWith, ...waitsFor].filter(Boolean)
      return run && [workflowId, run.status.name, ...said].join(' ')
    })
    return JSON.stringify({ id, row, tasks, runs: (await Promise.all(runs)).filter(Boolean) })
  })
  const others = Math.max(0, orderIds.length - shownAtMost)
  return [...(await Promise.all(lines)), ...(others > 0 ? [`and ${others} others`] : [])].join('\n')
}

/** Adds to an error what it knows of the orders that the error names. */
export async function explaining<Result>(product: Product, work: Promise<Result>): Promise<Result> {
  try {
    return await work
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const ids = new Set(message.match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g))
    throw new Error(`${message}\n${await explain(product, [...ids])}`, { cause: error })
  }
}

export interface MovingOptions<Value> extends Required<Pick<UntilOptions, 'everyMs'>> {
  /** without a change of the value for so long nothing more is to come */
  stillForMs: number
  /** the orders that are not as they should be */
  missing(value: Value): string[]
}

/** Reads a value until no order is missing. @throws as soon as it has stalled, with what is known of the orders */
export async function untilNoneIsMissing<Value>(
  product: Product,
  read: () => Promise<Value>,
  { stillForMs, everyMs, missing }: MovingOptions<Value>,
): Promise<Value> {
  let last: { text: string; since: number } | undefined
  const { value, ids } = await until(
    'no order is missing',
    async () => {
      const value = await read()
      const ids = missing(value)
      const text = JSON.stringify(ids)
      if (ids.length === 0) return { value, ids }
      if (text !== last?.text) last = { text, since: Date.now() }
      return Date.now() - last.since > stillForMs && { value, ids }
    },
    { everyMs, timeoutMs: Number.POSITIVE_INFINITY },
  )
  if (ids.length > 0) throw new Error(`${ids.length} orders have stalled:\n${await explain(product, ids)}`)
  return value
}
