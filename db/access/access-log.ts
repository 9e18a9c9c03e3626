/** The access log: who read whose data, and which. */
import type { FieldGroup } from '../../policy/field-groups.ts'
import type { Database, Queryable } from '../connection/database.ts'
import type { AccessLog } from '../connection/schema.ts'
import { insertIntoDay } from './daily-partitions.ts'

export interface Access {
  at: Date
  accountIds: readonly string[]
  actorKind: AccessLog['actor_kind']
  actorId: string | null
  session: string | null
  /** method and template, never an address */
  route: string
  fields: readonly FieldGroup[]
  requestId: string
}

/**
 * Writes accesses in one statement. It waits for no row lock; an access to an account that is gone writes nothing. The
 * verification of a running erasure deletes rows that the erasure could not see yet.
 */
export async function recordAccesses(sql: Database, accesses: readonly Access[]): Promise<void> {
  const rows = accesses.flatMap(({ accountIds, ...access }) =>
    accountIds.map((accountId) => ({ ...access, accountId })),
  )
  const last = rows.at(-1)
  if (!last) return
  const text = (of: (row: (typeof rows)[number]) => string | null) => rows.map(of)
  await insertIntoDay(
    sql,
    'access_log',
    last.at,
    () => sql`
      insert into access_log (at, account_id, actor_kind, actor_id, session, route, fields, request_id)
      select r.at::timestamptz, a.id, r.actor_kind, r.actor_id, r.session, r.route, string_to_array(r.fields, ','),
        r.request_id
      from unnest(${text(({ at }) => at.toISOString())}::text[], ${text(({ accountId }) => accountId)}::uuid[],
        ${text(({ actorKind }) => actorKind)}::text[], ${text(({ actorId }) => actorId)}::text[],
        ${text(({ session }) => session)}::text[], ${text(({ route }) => route)}::text[],
        ${text(({ fields }) => fields.join(','))}::text[], ${text(({ requestId }) => requestId)}::text[])
        as r (at, account_id, actor_kind, actor_id, session, route, fields, request_id)
      join accounts a on a.id = r.account_id`,
  )
}

export type AccessRow = Pick<AccessLog, 'at' | 'id' | 'actor_kind' | 'actor_id' | 'session' | 'route' | 'fields'>

/**
 * The id of the key by which somebody has read, for the person whose data it is. An operator who was signed in has
 * none, and their own id is theirs.
 */
export const keyOfAccess = ({ actor_id, session }: Pick<AccessRow, 'actor_id' | 'session'>): string | null =>
  session === null ? actor_id : null

/** Accesses to an account, the newest first. @param page.after the last row of the page before */
export const listAccesses = (
  sql: Queryable,
  page: { accountId: string; since: Date; after: Pick<AccessRow, 'at' | 'id'> | undefined; limit: number },
): Promise<AccessRow[]> => sql<AccessRow[]>`
  select at, id, actor_kind, actor_id, session, route, fields from access_log
  where account_id = ${page.accountId} and at >= ${page.since}
    ${page.after ? sql`and (at, id) < (${page.after.at}, ${page.after.id})` : sql``}
  order by at desc, id desc limit ${page.limit}`

const pageSize = 200

/** All accesses to an account, the newest first, in pages. */
export async function* accessPages(sql: Queryable, accountId: string, since: Date): AsyncGenerator<AccessRow[]> {
  let after: AccessRow | undefined
  do {
    const page = await listAccesses(sql, { accountId, since, after, limit: pageSize })
    if (page.length > 0) yield page
    after = page.length === pageSize ? page.at(-1) : undefined
  } while (after)
}
