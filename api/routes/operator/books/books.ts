/**
 * R2, anonymised invoices are kept for 7 years: operators list the months of the books and hold one beyond its period.
 */
import { z } from 'zod'
import type { ApiContext } from '../../../../context.ts'
import { describeBooks, holdMonth, releaseMonth } from '../../../../db/order/books-retention.ts'
import { signalIfOpen } from '../../../../temporal/runs.ts'
import { holdSignal, invoiceRetentionWorkflowId } from '../../../../workflows/retention/invoice-retention.contract.ts'
import { actAndRecord, entryOn } from '../../../acts/recorded-acts.ts'
import { actorOf } from '../../../http/caller.ts'
import { defineRoute, type Route } from '../../../http/route.ts'
import { taskNote, whyField } from '../../../views/operator-words.ts'

const monthParams = z.strictObject({ month: z.string().regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'must be YYYY-MM') })
const newHold = z
  .strictObject({ reason: taskNote.min(3).max(200).describe('for example a file number; no personal data') })
  .meta({ id: 'NewBooksHold' })

const books = z
  .object({
    items: z.array(
      z.object({
        month: z.string(),
        invoices: z.int().describe('invoices and credit notes'),
        orderFacts: z.int(),
        hold: z.object({ reason: z.string(), heldAt: z.iso.datetime() }).nullable(),
      }),
    ),
  })
  .meta({ id: 'Books' })

export function booksRoutes(api: ApiContext): Route[] {
  const { sql, temporal } = api

  /** Signals the month's run to read the hold again. A run that starts later reads it at its start. */
  async function signalHold(month: string): Promise<void> {
    await signalIfOpen(temporal, invoiceRetentionWorkflowId(month), holdSignal)
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/books',
      tag: 'books',
      summary: 'List the months of the books',
      promises: ['R2'],
      callers: ['operator'],
      responses: { 200: { description: 'The months, the oldest first', schema: books } },
      async handle() {
        const months = await describeBooks(sql)
        const items = months.map(({ hold, ...month }) => ({
          ...month,
          hold: hold && { reason: hold.reason, heldAt: hold.heldAt.toISOString() },
        }))
        return { status: 200, body: { items } }
      },
    }),
    defineRoute({
      method: 'put',
      path: '/v1/books/{month}/hold',
      tag: 'books',
      summary: 'Keep a month of the books beyond its period',
      promises: ['R2', 'U6'],
      callers: ['operator'],
      params: monthParams,
      body: newHold,
      responses: { 204: { description: 'The month is held; the reason of an earlier hold stays' } },
      async handle({ params: { month }, body, caller }) {
        await actAndRecord(api, caller, undefined, entryOn('hold-books', month, body), async () => {
          await holdMonth(sql, { month, reason: body.reason, by: actorOf(caller), at: new Date() })
          await signalHold(month)
        })
        return { status: 204 }
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/v1/books/{month}/hold',
      tag: 'books',
      summary: 'Release a held month: documents past their period are deleted now',
      promises: ['R2'],
      callers: ['operator'],
      params: monthParams,
      query: z.strictObject(whyField),
      responses: { 204: { description: 'The month is released' } },
      async handle({ params: { month }, query, caller }) {
        await actAndRecord(api, caller, undefined, entryOn('release-books', month, query), async () => {
          await releaseMonth(sql, month)
          await signalHold(month)
        })
        return { status: 204 }
      },
    }),
  ]
}
