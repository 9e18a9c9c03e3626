import postgres from 'postgres'
import { arrayTypes } from './array-types.ts'
import { createConnections } from './connections.ts'
import { survivingLostConnections } from './lost-connection.ts'
import { limitPool, type PoolState } from './pool.ts'

type Types = { bigint: bigint }
type Parameter = postgres.ParameterOrFragment<bigint>

/**
 * A query's rows have the type that the query names (db/connection/schema.ts). postgres.js would make the others `any`.
 */
type TypedQueries = <Rows extends readonly object[] = Record<string, unknown>[]>(
  statement: TemplateStringsArray,
  ...parameters: readonly Parameter[]
) => postgres.PendingQuery<Rows>

interface Transactions {
  begin<Result>(work: (tx: Transaction) => Result | Promise<Result>): Promise<Result>
}

export type Database = TypedQueries & Transactions & postgres.Sql<Types> & { readonly pool: PoolState }
/** A connection inside a transaction. */
export type Transaction = TypedQueries & postgres.TransactionSql<Types>
/** Anything that runs statements, for queries that may run inside or outside a transaction. */
export type Queryable = Database | Transaction | (TypedQueries & postgres.ReservedSql<Types>)
/** A part of a statement. */
export type Fragment = postgres.PendingQuery<Record<string, unknown>[]>

/** All in milliseconds; 0 means no limit. */
export interface TimeLimits {
  /** waiting for a connection of the pool */
  waitMs: number
  statementMs: number
  /** one wait for a lock; less than `waitMs`, so that waiting for locks is not mistaken for a stuck pool */
  lockMs: number
  /** between two statements of a transaction, in which no outside party may be awaited */
  idleInTransactionMs: number
  /** a transaction older than this gets no further statement */
  transactionMs: number
  /** callers wait and no connection comes back; longer than the limits that end statements and transactions */
  stuckAfterMs: number
  /** opening a connection */
  connectMs: number
  /**
   * How much later than the server's own limits an answer may come. A connection without it is given up: where the
   * other side is gone without a word, no limit of the server's ends the wait.
   */
  lateMs: number
}

/** The limits for each purpose. */
export const timeLimits = {
  /** Callers give up after about 30 s; before that they must get an answer that says when to try again. */
  api: {
    waitMs: 10_000,
    statementMs: 15_000,
    lockMs: 5_000,
    idleInTransactionMs: 5_000,
    transactionMs: 20_000,
    stuckAfterMs: 30_000,
    connectMs: 10_000,
    lateMs: 5_000,
  },
  /** Purges, the search for traces of an erased person, VACUUM and the key snapshot read whole tables. */
  worker: {
    waitMs: 30_000,
    statementMs: 600_000,
    lockMs: 15_000,
    idleInTransactionMs: 30_000,
    transactionMs: 120_000,
    stuckAfterMs: 120_000,
    connectMs: 10_000,
    lateMs: 5_000,
  },
  /** Migrations and restores run alone, watched by an operator, and take as long as the data need. */
  maintenance: {
    waitMs: 60_000,
    statementMs: 0,
    lockMs: 0,
    idleInTransactionMs: 0,
    transactionMs: 0,
    stuckAfterMs: Number.POSITIVE_INFINITY,
    connectMs: 10_000,
    lateMs: 0,
  },
} as const satisfies Record<string, TimeLimits>

export interface ConnectOptions {
  maxConnections?: number
  name?: string
  /** `timeLimits.api` by default */
  limits?: TimeLimits
}

const idleMs = 60_000
const lifetimeMs = { least: 1_800_000, most: 3_600_000 }

/** Creates a pool of connections. @param url PostgreSQL connection URL */
export function connectDatabase(url: string, options: ConnectOptions = {}): Database {
  const { maxConnections = 20, limits = timeLimits.api } = options
  const { connectMs, lateMs, statementMs, stuckAfterMs, transactionMs, waitMs } = limits
  const settings = {
    max: 1,
    connect_timeout: connectMs / 1_000,
    // The pool closes idle and old connections itself, before it could hand one out that is closing.
    idle_timeout: (2 * idleMs) / 1_000,
    max_lifetime: null,
    connection: {
      application_name: options.name ?? 'ama-esim',
      TimeZone: 'UTC',
      statement_timeout: statementMs,
      lock_timeout: limits.lockMs,
      idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    },
    fetch_types: false,
    types: { bigint: postgres.BigInt, ...arrayTypes },
    onnotice: () => undefined,
  } satisfies postgres.Options<Record<string, postgres.PostgresType>>
  const connections = createConnections(
    ({ onOpened, onClosed }) =>
      survivingLostConnections(postgres(url, { ...settings, onparameter: onOpened, onclose: onClosed }), {
        transactionMs,
      }),
    {
      connectMs,
      idleMs,
      lifetimeMs: () => lifetimeMs.least + Math.random() * (lifetimeMs.most - lifetimeMs.least),
    },
  )
  // A statement may begin as late as a transaction may last.
  const answerMs = {
    statement: statementMs > 0 ? statementMs + lateMs : 0,
    transaction: statementMs > 0 && transactionMs > 0 ? transactionMs + statementMs + lateMs : 0,
  }
  return limitPool(postgres(url, settings), connections, { answerMs, maxConnections, stuckAfterMs, waitMs })
}
