/** U6, data serves to meet accounting and tax duties: a person's invoices and credit notes as pages and as files. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Account, findAccount } from '../../../db/accounts.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import { findDocument } from '../../../db/order/books.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { type Texts, textsOf } from '../../../messages/texts.ts'
import type { Visitor } from '../../http/caller.ts'
import { orNotFound } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { sentId } from '../../http/storable.ts'
import { renderInvoice } from '../../pages/account/invoice.tsx'
import { type InvoiceContent, invoiceContent } from '../../pages/account/invoice-content.ts'
import { layoutHeaders } from '../../pages/layout.tsx'
import { ownOrder } from './own-order.ts'

const headers = layoutHeaders({ forms: true })
export const documentParams = z.strictObject({ id: sentId, number: z.string().max(60) })

export function orderDocumentPageRoutes(api: ApiContext): Route[] {
  const { sql } = api

  return [
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}/documents/{number}',
      tag: 'pages',
      summary: 'An invoice or a credit note as a page to print',
      promises: ['U6'],
      callers: ['visitor'],
      params: documentParams,
      responses: { 200: html },
      async handle({ caller, params: { id, number }, page }) {
        const shown = page()
        const content = await contentOf(id, number, caller, shown.texts)
        return { status: 200, headers, raw: renderInvoice(content, `/account/orders/${id}`, shown) }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/account/orders/{id}/documents/{number}/pdf',
      tag: 'pages',
      summary: 'An invoice or a credit note as a PDF',
      promises: ['U6'],
      callers: ['visitor'],
      params: documentParams,
      responses: { 200: { description: 'The file', contentType: 'application/pdf' }, 404: html },
      async handle({ caller, params: { id, number }, page }) {
        const { texts } = page()
        return await pdfOf(await contentOf(id, number, caller, texts), texts)
      },
    }),
  ]

  /** @throws Problem not_found */
  async function contentOf(id: string, number: string, caller: Visitor, texts: Texts) {
    await ownOrder(sql, id, caller)
    const account = orNotFound(await findAccount(sql, api, caller.accountId))
    return contentOfDocument(sql, { id, number, account }, texts)
  }
}

/** @throws Problem not_found */
async function contentOfDocument(
  sql: Queryable,
  { id, number, account }: { id: string; number: string; account: Account },
  texts: Texts,
): Promise<InvoiceContent> {
  const document = orNotFound(await findDocument(sql, id, number))
  const { firstName, lastName, email } = account
  return invoiceContent(document, { name: `${firstName} ${lastName}`, email }, texts)
}

async function pdfOf(content: InvoiceContent, texts: Texts) {
  const disposition = { 'Content-Disposition': `attachment; filename="${content.number}.pdf"` }
  // Its library is large, and no start needs it.
  const { invoicePdf } = await import('../../pages/account/invoice-pdf.ts')
  return { status: 200 as const, headers: disposition, raw: await invoicePdf(content, texts) }
}

/** A document of an order as a file in its customer's language, for operators. @throws Problem not_found */
export async function documentFile(api: ApiContext, order: Pick<OrderRow, 'id' | 'account_id'>, number: string) {
  const account = orNotFound(await findAccount(api.sql, api, order.account_id))
  const texts = textsOf(account.language)
  return await pdfOf(await contentOfDocument(api.sql, { id: order.id, number, account }, texts), texts)
}
