import { z } from 'zod'
import { Problem } from './problem.ts'
import { unstorableTexts } from './storable.ts'

/** The query parameters of every list. */
export const pageQuery = {
  cursor: z.string().max(500).optional().describe('`nextCursor` of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50).describe('most items to answer'),
}

/** The schema of one page of a list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable().describe('null on the last page') })

/** A caller can decode a cursor, and it appears in addresses: personal data must not be a sort key. */
export const encodeCursor = (position: readonly (string | number)[]): string =>
  Buffer.from(JSON.stringify(position)).toString('base64url')

/**
 * The sort keys from which the next page starts.
 * @throws Problem invalid_request for a cursor that this list did not make
 */
export function decodeCursor<Position>(cursor: string | undefined, schema: z.ZodType<Position>): Position | undefined {
  if (cursor === undefined) return undefined
  const parsed = schema.safeParse(jsonIn(cursor))
  if (!parsed.success || unstorableTexts(parsed.data, 'cursor').length > 0) {
    throw new Problem('invalid_request', { errors: [{ field: 'cursor', reason: 'not a cursor of this list' }] })
  }
  return parsed.data
}

function jsonIn(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}

/**
 * Makes one page of the rows that a query with `limit + 1` returned: the extra row shows that another page follows.
 * @param rows at most `limit + 1`, sorted
 * @param positionOf the sort keys of a row
 */
export function cutPage<Row>(
  rows: readonly Row[],
  limit: number,
  positionOf: (row: Row) => readonly (string | number)[],
): { rows: Row[]; nextCursor: string | null } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { rows: page, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(positionOf(last)) : null }
}
