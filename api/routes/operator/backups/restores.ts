/** U2, paid means delivered or refunded: operators see the findings of a restore, and the outcome of each item. */
import { z } from 'zod'
import type { ApiContext } from '../../../../context.ts'
import { accountsNamedIn } from '../../../../db/access/named-accounts.ts'
import {
  countItems,
  countLostNumbers,
  findRestore,
  listItems,
  listRestores,
  type Restore,
} from '../../../../db/backup/restores.ts'
import { isoOrNull } from '../../../../shared/calendar.ts'
import { cutPage, decodeCursor, pageOf, pageQuery } from '../../../http/cursor.ts'
import { Problem } from '../../../http/problem.ts'
import { defineRoute, type Route } from '../../../http/route.ts'
import { idParams } from '../../../http/storable.ts'
import { enumeration } from '../../../views/enumeration.ts'

const kind = z.enum(['order', 'payment', 'provider_order', 'run', 'table'])
const itemOutcome = enumeration(
  'RestoredItemOutcome',
  'What became of something that is newer than the restored backup',
  {
    rebuilt: 'Its rows are there again',
    to_settle: 'Its turn has not come',
    refunded: 'It could not be rebuilt: the customer gets the money back',
    cancelled: 'Its payment was cancelled before it was paid',
    given_back: 'The provider has taken the eSIM back',
    undecided: 'An operator has to decide: it is a task',
  },
)
const outcome = itemOutcome.schema
const restore = z
  .object({
    id: z.string(),
    backupId: z.string(),
    readsSince: z.iso.datetime().describe('what happened after this time was read from outside parties and from runs'),
    restoredAt: z.iso.datetime(),
    openedAt: z.iso.datetime().nullable().describe('null: the API refuses requests'),
    series: z.string().describe('part of the series of invoices and credit notes issued since'),
    lostNumbers: z.record(z.string(), z.int()).describe('numbers whose document is lost, by series'),
    counts: z.partialRecord(kind, z.partialRecord(outcome, z.int())),
  })
  .meta({ id: 'Restore' })
const item = z
  .object({
    kind,
    subjectId: z
      .string()
      .describe(
        "the id of the order, the payment at Stripe, the provider's order or the run, or the name of the table",
      ),
    outcome,
    detail: z.string().nullable().describe('why, as a code'),
  })
  .meta({ id: 'RestoredItem' })

const shownAtMost = 20
const cursorPosition = z.tuple([kind, z.string().max(200)])

export function restoreRoutes({ sql }: ApiContext): Route[] {
  async function view({ readsSince, restoredAt, openedAt, ...rest }: Restore) {
    const [counts, lostNumbers] = await Promise.all([countItems(sql, rest.id), countLostNumbers(sql, rest.id)])
    return {
      ...rest,
      readsSince: readsSince.toISOString(),
      restoredAt: restoredAt.toISOString(),
      openedAt: isoOrNull(openedAt),
      lostNumbers,
      counts,
    }
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/restores',
      tag: 'backups',
      summary: 'List restores of this database, with the numbers of what was rebuilt, refunded or left undecided',
      promises: ['U2'],
      callers: ['operator'],
      duringRestore: true,
      responses: {
        200: { description: 'The restores, the newest first', schema: z.object({ items: z.array(restore) }) },
      },
      async handle() {
        const restores = await listRestores(sql, shownAtMost)
        return { status: 200, body: { items: await Promise.all(restores.map(view)) } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/v1/restores/{id}/items',
      tag: 'backups',
      summary: 'List what a restore found newer than its backup, and what became of each item',
      promises: ['U2'],
      callers: ['operator'],
      reads: ['orders'],
      duringRestore: true,
      params: idParams,
      query: z.strictObject({ ...pageQuery, outcome: outcome.optional() }),
      responses: { 200: { description: 'A page of items', schema: pageOf(item).meta({ id: 'RestoredItemPage' }) } },
      problems: ['not_found'],
      async handle({ params, query }) {
        const after = decodeCursor(query.cursor, cursorPosition)
        if (!(await findRestore(sql, params.id))) throw new Problem('not_found')
        const items = await listItems(sql, params.id, {
          after,
          outcome: query.outcome,
          limit: query.limit + 1,
        })
        const page = cutPage(items, query.limit, (each) => [each.kind, each.subjectId])
        const about = await accountsNamedIn(sql, JSON.stringify(page.rows))
        return { status: 200, about, body: { items: page.rows, nextCursor: page.nextCursor } }
      },
    }),
  ]
}
