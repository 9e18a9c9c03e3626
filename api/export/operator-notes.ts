/**
 * What operators have written about a person, for the person (GDPR article 15). Article 15(4): it may name others, such
 * as the account that has paid with the same card; their ids are left out.
 */
import type { Queryable } from '../../db/connection/database.ts'
import { ownAmong } from '../../db/export.ts'
import { ourIds, replaceIds } from '../views/operator-words.ts'

/** Stands for an id that is not the person's own, and for those of Stripe. */
const left = '[id]'

/** Rows with texts in which all ids are replaced but those of the person's own account, orders, eSIMs and requests. */
export async function withoutOthers<Column extends string, Row extends { readonly [Text in Column]: string | null }>(
  sql: Queryable,
  accountId: string,
  rows: readonly Row[],
  columns: readonly Column[],
): Promise<Row[]> {
  const texts = rows.flatMap((row) => columns.flatMap((column) => row[column] ?? []))
  const named = texts.flatMap((text) => text.match(ourIds) ?? [])
  const own = await ownAmong(sql, accountId, named)
  const cleared = (text: string | null): string | null =>
    text === null ? null : replaceIds(text, (id) => (own.has(id.toLowerCase()) ? id : left))
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(columns.map((column) => [column, cleared(row[column])])),
  }))
}
