import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { keyOfAccess, listAccesses } from '../../db/access/access-log.ts'
import { accountExists } from '../../db/accounts.ts'
import { fieldGroups } from '../../policy/field-groups.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../http/cursor.ts'
import { Problem } from '../http/problem.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { sentTime } from '../http/storable.ts'
import { accountParams } from '../views/account-fields.ts'

const access = z
  .object({
    at: z.iso.datetime(),
    by: z.enum(['service', 'operator', 'person']).describe('`service`: the app backend; `person`: an export'),
    key: z
      .string()
      .nullable()
      .describe(
        'the id of the API key; null for a person and, except for operators, for an operator who was signed in',
      ),
    session: z.string().nullable().describe('names the session, for a breach; opens nothing'),
    route: z.string(),
    fields: z.array(z.enum(keysOf(fieldGroups))),
  })
  .meta({ id: 'Access' })

const position = z.tuple([sentTime, z.uuid()])

export function accessRoutes({ sql }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/v1/accounts/{id}/accesses',
      tag: 'accounts',
      summary: "Who read the person's data, the newest first",
      description: `Reads by operators and the app backend, and exports, of the last ${periods.securityLog.keepDays} days.`,
      promises: ['G1', 'R4'],
      callers: ['service', 'person', 'operator'],
      account: 'id',
      reads: ['accesses'],
      params: accountParams,
      query: z.strictObject(pageQuery),
      responses: { 200: { description: 'A page', schema: pageOf(access).meta({ id: 'AccessPage' }) } },
      problems: ['not_found'],
      async handle({ params: { id }, query, caller }) {
        const [at, last] = decodeCursor(query.cursor, position) ?? []
        if (!(await accountExists(sql, id))) throw new Problem('not_found')
        const rows = await listAccesses(sql, {
          accountId: id,
          since: plusDays(new Date(), -periods.securityLog.keepDays),
          after: at && last ? { at: new Date(at), id: last } : undefined,
          limit: query.limit + 1,
        })
        const page = cutPage(rows, query.limit, (row) => [row.at.toISOString(), row.id])
        return {
          status: 200,
          body: {
            items: page.rows.map((row) => ({
              at: row.at.toISOString(),
              by: row.actor_kind,
              key: caller.kind === 'operator' ? row.actor_id : keyOfAccess(row),
              session: row.session,
              route: row.route,
              fields: row.fields,
            })),
            nextCursor: page.nextCursor,
          },
        }
      },
    }),
  ]
}
