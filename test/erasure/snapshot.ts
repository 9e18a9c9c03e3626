/** A snapshot of the database: every row of every table as text. */
import type { Database } from '../../db/connection/database.ts'

/** The rows as JSON, by table; equal rows are listed several times. */
export type Snapshot = Map<string, string[]>

export async function takeSnapshot({ sql }: { sql: Database }): Promise<Snapshot> {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`
  const snapshot: Snapshot = new Map()
  for (const { name } of tables) {
    const rows = await sql<{ row: string }[]>`select to_jsonb(t)::text as row from ${sql(name)} t order by 1`
    snapshot.set(
      name,
      rows.map(({ row }) => row),
    )
  }
  return snapshot
}

/** The rows of the second snapshot that the first does not have. */
export function rowsAdded(before: Snapshot, after: Snapshot): Snapshot {
  const added: Snapshot = new Map()
  for (const [table, rows] of after) {
    const known = new Set(before.get(table) ?? [])
    const fresh = rows.filter((row) => !known.has(row))
    if (fresh.length > 0) added.set(table, fresh)
  }
  return added
}

/** `table: row` of each row that contains one of the texts, plain or as hex. */
export function findTexts(snapshot: Snapshot, texts: Iterable<string>): string[] {
  const needles = [...texts].flatMap((text) => [text, Buffer.from(text).toString('hex')])
  return [...snapshot].flatMap(([table, rows]) =>
    rows.filter((row) => needles.some((needle) => row.includes(needle))).map((row) => `${table}: ${row}`),
  )
}
