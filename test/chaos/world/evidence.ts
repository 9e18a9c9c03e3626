/**
 * Keeps what is known of the subjects of violations until the world ends: their runs, rows, requests to parties and
 * lines of the log. The oracles read nothing of it.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WorkflowNotFoundError } from '@temporalio/common'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { accountDeletionWorkflowId } from '../../../workflows/account-deletion.contract.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import type { Acknowledgements, OutsideBooks } from '../oracles/record.ts'
import type { WorldStack } from './stack/stack.ts'

/** People and orders by the names of the plan. */
const names = /\bp\d+(?:o\d+t?)?\b/g

/**
 * Writes one file for each order and person that a fault names.
 * @returns the paths of the files
 */
export async function keepEvidence(
  stack: WorldStack,
  faults: readonly string[],
  { books, said }: { books: OutsideBooks; said: Acknowledgements },
  directory: string,
): Promise<string[]> {
  const named = new Set(faults.flatMap((fault) => fault.match(names) ?? []))
  const people = said.people.filter(({ name }) => named.has(name))
  const orders = said.orders.filter(({ name, accountId }) => {
    return named.has(name) || people.some((person) => person.accountId === accountId)
  })
  await mkdir(directory, { recursive: true })
  const { accountRef } = stack.context.cipher
  return Promise.all([
    ...people.map((person) => keep(person.name, person, [accountDeletionWorkflowId(accountRef(person.accountId))])),
    ...orders.map((order) =>
      keep(order.name, order, [orderWorkflowId(order.orderId), orderAftercareWorkflowId(order.orderId)]),
    ),
  ])

  async function keep(
    name: string,
    subject: Acknowledgements['people'][number] | Acknowledgements['orders'][number],
    workflowIds: string[],
  ): Promise<string> {
    const ids = 'orderId' in subject ? [subject.orderId, ...subject.iccids] : [subject.accountId]
    if ('deletion' in subject && subject.deletion) ids.push(subject.deletion.receiptId)
    const isAbout = (text: string): boolean => ids.some((id) => text.includes(id))
    const isPart = (part: unknown): boolean => isAbout(JSON.stringify(part))
    const file = join(directory, `${name}.json`)
    const content = {
      subject,
      payments: books.payments.filter(isPart),
      refunds: books.refunds.filter(({ payment }) =>
        books.payments.some(({ id, orderId }) => id === payment && ids.includes(orderId)),
      ),
      esims: books.esims.filter(isPart),
      deliveries: books.deliveries.filter(isPart),
      events: said.events.filter(isPart),
      rows: await rowsOf(ids),
      runs: await Promise.all(workflowIds.map(runOf)),
      requests: books.received.filter(({ text }) => isAbout(text)),
      log: stack.logLines.filter(isAbout),
    }
    await writeFile(file, JSON.stringify(content, null, 2))
    return file
  }

  /** Rows that have one of these ids in a column, by table. */
  async function rowsOf(ids: readonly string[]): Promise<Record<string, unknown>> {
    const { sql } = stack.context
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
      where n.nspname = 'public' and relkind in ('r', 'p') and not relispartition order by 1`
    const rows: Record<string, unknown> = {}
    for (const { name } of tables) {
      const found = await sql`
        select held.row from ${sql(name)} as t, lateral (select to_jsonb(t) as row) as held
        where exists (select from unnest(${ids}::text[]) as id where strpos(held.row::text, id) > 0)`
      if (found.length > 0) rows[name] = found.map(({ row }) => row)
    }
    return rows
  }

  async function runOf(workflowId: string): Promise<unknown> {
    const handle = stack.temporal.workflow.getHandle(workflowId)
    try {
      const { raw } = await handle.describe()
      return {
        workflowId,
        pendingActivities: raw.pendingActivities,
        timeSkipping: raw.workflowExtendedInfo?.timeSkippingInfo,
        history: JSON.parse(historyToJSON(await handle.fetchHistory())),
      }
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return { workflowId, is: 'gone' }
      throw error
    }
  }
}
