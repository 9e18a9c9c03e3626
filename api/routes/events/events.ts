import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { lastPosition } from '../../../db/events/deliveries.ts'
import { eventBody, listEvents, numberEvents, positionBefore } from '../../../db/events/events.ts'
import { cutPage, decodeCursor, encodeCursor, pageOf, pageQuery } from '../../http/cursor.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { sentTime } from '../../http/storable.ts'
import { eventSchema, eventType } from '../../views/event-view.ts'

const position = z.tuple([z.int().nonnegative()])

/** A position that a cursor can hold: there is none before 1970, and JSON has no exact ones after the year 2255. */
const inStream = (at: number): number => Math.min(Math.max(0, at), Number.MAX_SAFE_INTEGER)

const page = pageOf(eventSchema)
  .extend({
    cursor: z.string().describe('keep it: a later call with it answers the events that came after this page'),
  })
  .meta({ id: 'EventPage' })

export function eventRoutes(api: ApiContext): Route[] {
  const { sql } = api
  return [
    defineRoute({
      method: 'get',
      path: '/v1/events',
      tag: 'events',
      summary: 'List events, the oldest first',
      description:
        'Each change that the app backend has to know, with ids only. An event is recorded in the transaction of its change and can be read for 30 days. The page /docs/events has all types.',
      callers: ['service', 'operator'],
      reads: ['orders', 'consents'],
      query: z.strictObject({
        ...pageQuery,
        type: eventType.schema.optional(),
        since: sentTime.optional().describe('events from this time on; without effect beside `cursor`'),
      }),
      responses: { 200: { description: 'A page', schema: page } },
      async handle({ query: { cursor, limit, type, since } }) {
        const start = since === undefined ? 0 : inStream(positionBefore(new Date(since)))
        const [after] = decodeCursor(cursor, position) ?? [start]
        await numberEvents(sql)
        // Before the list is read: what is numbered meanwhile lies behind it.
        const end = await lastPosition(sql)
        const found = await listEvents(sql, api, { after, types: type && [type], limit: limit + 1 })
        const { rows, nextCursor } = cutPage(found, limit, (event) => [event.position])
        const last = rows.at(-1)?.position ?? after
        // Events of other types have been read as well: a cursor that did not move would have them read each time.
        const upTo = nextCursor === null ? Math.max(last, end) : last
        return { status: 200, body: { items: rows.map(eventBody), nextCursor, cursor: encodeCursor([upTo]) } }
      },
    }),
  ]
}
