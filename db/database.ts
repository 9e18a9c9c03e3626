import postgres from 'postgres'
import { survivingLostConnections } from './lost-connection.ts'
import { guardPool } from './pool.ts'

export type Database = postgres.Sql<{ bigint: bigint }>
/** A connection inside a transaction. */
export type Transaction = postgres.TransactionSql<{ bigint: bigint }>
/** Either: for queries that do not care. */
export type Queryable = Database | Transaction
/** A part of a statement. */
export type Fragment = postgres.PendingQuery<postgres.Row[]>

/** @param url PostgreSQL connection URL */
export function connectDatabase(url: string, options: { maxConnections?: number; name?: string } = {}): Database {
  const sql = postgres(url, {
    max: options.maxConnections ?? 20,
    connect_timeout: 10,
    idle_timeout: 60,
    // Queries wait for the next attempt to connect: by default up to 20 s, and so long after the database is back.
    backoff: (failures) => Math.min(0.05 * 2 ** failures, 1) * (0.5 + Math.random() / 2),
    connection: { application_name: options.name ?? 'ama-esim', TimeZone: 'UTC' },
    types: { bigint: postgres.BigInt },
    onnotice: () => undefined,
  })
  return guardPool(survivingLostConnections(sql))
}
