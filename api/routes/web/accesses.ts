/** G1, everybody can see their data: a person sees who has read it. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { listAccesses } from '../../../db/access/access-log.ts'
import { periods } from '../../../policy/periods.ts'
import { plusDays } from '../../../shared/calendar.ts'
import { cutPage, decodeCursor } from '../../http/cursor.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { sentTime } from '../../http/storable.ts'
import { renderAccesses } from '../../pages/account/accesses.tsx'
import { layoutHeaders } from '../../pages/layout.tsx'
import { renderAskAddress } from '../../pages/sign-in.tsx'

const shown = 50
const headers = layoutHeaders({ forms: true })
const position = z.tuple([sentTime, z.uuid()])

export function accessPageRoutes({ sql }: ApiContext): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/account/accesses',
      tag: 'pages',
      summary: "Who has read a person's data, the newest first; without a session the page to sign in",
      promises: ['G1', 'R4'],
      callers: ['public', 'visitor'],
      query: z.strictObject({ cursor: z.string().max(500).optional() }),
      responses: { 200: html },
      async handle({ caller, query: { cursor }, page }) {
        if (caller.kind !== 'visitor') return { status: 200, headers, raw: renderAskAddress('account/data', page()) }
        const [at, last] = decodeCursor(cursor, position) ?? []
        const days = periods.securityLog.keepDays
        const found = await listAccesses(sql, {
          accountId: caller.accountId,
          since: plusDays(new Date(), -days),
          after: at && last ? { at: new Date(at), id: last } : undefined,
          limit: shown + 1,
        })
        const { rows, nextCursor } = cutPage(found, shown, (row) => [row.at.toISOString(), row.id])
        const items = rows.map((row) => ({ id: row.id, at: row.at, by: row.actor_kind, fields: row.fields }))
        const next = nextCursor && `/account/accesses?${new URLSearchParams({ cursor: nextCursor })}`
        return { status: 200, headers, raw: renderAccesses({ days, items, next }, page()) }
      },
    }),
  ]
}
