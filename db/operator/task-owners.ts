/**
 * The subject and the account of a task. Its subject is an order, an eSIM, a run, a dispute or a request, or belongs to
 * no account.
 */
import type { Queryable } from '../connection/database.ts'
import type { Orders, PrivacyRequests } from '../connection/schema.ts'
import type { OperatorTask } from '../operator-tasks.ts'

export interface TaskOwner {
  /** null for a privacy request of somebody without an account */
  accountId: string | null
  /** null when the task is about the account or another record of it */
  orderId: string | null
  /** the privacy request that the task is about */
  requestId: string | null
}

/** The accounts among the owners of tasks, for the access log. */
export const accountsOf = (owners: ReadonlyMap<string, TaskOwner>): string[] =>
  [...owners.values()].flatMap(({ accountId }) => (accountId === null ? [] : [accountId]))

type Subject = Pick<OperatorTask, 'id' | 'subjectId' | 'attributes'>

const someId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/

/** The owners of tasks by the ids of the tasks; a task that is about nobody has none. */
export async function ownersOfTasks(sql: Queryable, tasks: readonly Subject[]): Promise<Map<string, TaskOwner>> {
  if (tasks.length === 0) return new Map()
  // The id of a run ends with the id of what it is about.
  const named = tasks.map(({ subjectId }) => someId.exec(subjectId)?.[0] ?? null)
  const ordersNamed = tasks.map(({ attributes }) =>
    typeof attributes?.orderId === 'string' ? attributes.orderId : null,
  )
  const rows = await sql<
    {
      task: string
      account_id: Orders['account_id'] | null
      order_id: Orders['id'] | null
      request_id: PrivacyRequests['id'] | null
    }[]
  >`
    select t.task, o.id as order_id, p.id as request_id, coalesce(o.account_id, w.account_id) as account_id
    from unnest(${tasks.map(({ id }) => id)}::text[], ${tasks.map(({ subjectId }) => subjectId)}::text[],
      ${named}::text[], ${ordersNamed}::text[]) as t (task, subject, named, order_named)
    left join lateral (
      select id, account_id from orders where id = coalesce(uuid_or_null(t.order_named),
        (select order_id from disputes where stripe_dispute_id = t.subject),
        (select order_id from esims where id = uuid_or_null(t.named)), uuid_or_null(t.named))
    ) o on true
    left join lateral (select account_id from owned_ids where id = uuid_or_null(t.named) limit 1) w on true
    left join privacy_requests p on p.id = uuid_or_null(t.named)`
  return new Map(
    rows.flatMap(({ task, account_id: accountId, order_id: orderId, request_id: requestId }) =>
      accountId === null && requestId === null ? [] : [[task, { accountId, orderId, requestId }] as const],
    ),
  )
}
