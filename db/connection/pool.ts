import { finished, Readable, Writable } from 'node:stream'
import type postgres from 'postgres'
import { assertBeforeDeadline } from '../../shared/deadline.ts'
import { assertOutsideTransaction, insideTransaction } from '../../shared/transaction-scope.ts'
import { createTurns, type Turns } from '../../shared/turns.ts'

type Sql = postgres.Sql<{ bigint: bigint }>

/** The state of a pool, known without a query. */
export interface PoolState {
  /** Whether callers wait and no connection has come back for `stuckAfterMs`. */
  isStuck(): boolean
}

export interface PoolLimits {
  maxConnections: number
  /** how long a statement or transaction waits for a connection, milliseconds */
  waitMs: number
  /** how long no connection comes back before the pool counts as stuck, milliseconds */
  stuckAfterMs: number
}

/** Internals of postgres.js 3.4: `handler` is called when a query is first awaited, and gives it to the pool. */
interface PendingQuery extends Promise<unknown> {
  handler(query: PendingQuery): unknown
  reject(error: unknown): void
}

/**
 * Bounds how many statements and transactions run at once and how long others wait. postgres.js itself would queue them
 * without limit, and behind statements that still run. A use of the pool inside a transaction throws: it could wait for a
 * connection that only the end of the same transaction frees.
 */
export function limitPool(sql: Sql, limits: PoolLimits): Sql & { pool: PoolState } {
  const turns = createTurns({ what: 'a database connection', atOnce: limits.maxConnections, waitMs: limits.waitMs })
  const pool: PoolState = { isStuck: () => turns.standstillMs() > limits.stuckAfterMs }

  const own = {
    pool,
    begin: (...parameters: unknown[]) => beginInTurn(sql, turns, parameters),
    unsafe: (...parameters: Parameters<Sql['unsafe']>) => inTurn(sql.unsafe(...parameters), turns),
    file: (...parameters: Parameters<Sql['file']>) => inTurn(sql.file(...parameters), turns),
    // postgres.js 3.4.9 never resolves it on a new connection without `fetch_types` (src/connection.js, ReadyForQuery).
    reserve: refused('reserve'),
    notify: refused('notify'),
    listen: refused('listen'),
    subscribe: refused('subscribe'),
    largeObject: refused('largeObject'),
  }
  return new Proxy(sql, {
    apply: (target, self, input) => inTurn(Reflect.apply(target, self, input), turns),
    get: (target, name) => (Object.hasOwn(own, name) ? own[name as keyof typeof own] : Reflect.get(target, name)),
  }) as Sql & { pool: PoolState }
}

/** The others of these functions of postgres.js open connections beside the pool, which the limit would not count. */
const refused = (name: string) => (): never => {
  throw new Error(`${name} is not for a pool with limits`)
}

const isPendingQuery = (made: Promise<unknown>): made is PendingQuery =>
  'handler' in made && typeof made.handler === 'function'

/** Identifiers, values and fragments pass unchanged: only a query that is awaited goes to the pool. */
function inTurn<Made>(made: Made, turns: Turns): Made {
  if (!(made instanceof Promise)) return made
  if (!isPendingQuery(made)) throw new Error('postgres.js has changed: its queries have no handler')
  const query: PendingQuery = made
  const handler = query.handler
  query.handler = async () => {
    try {
      assertOutsideTransaction('The connection pool')
      const releaseTurn = await takeTurn(turns)
      Promise.prototype.then.call(query, (outcome) => afterStream(outcome, releaseTurn), releaseTurn)
      handler(query)
    } catch (error) {
      query.reject(error)
    }
  }
  return made
}

/** A request whose caller has been answered does not take connections from others. */
async function takeTurn(turns: Turns): Promise<() => void> {
  assertBeforeDeadline()
  const release = await turns.take()
  try {
    assertBeforeDeadline()
  } catch (error) {
    release()
    throw error
  }
  return release
}

/** A COPY resolves to a stream and keeps its connection until the stream ends. */
function afterStream(outcome: unknown, releaseTurn: () => void): void {
  if (outcome instanceof Readable || outcome instanceof Writable) finished(outcome, releaseTurn)
  else releaseTurn()
}

type Work = (tx: postgres.TransactionSql) => unknown

async function beginInTurn(sql: Sql, turns: Turns, parameters: unknown[]): Promise<unknown> {
  assertOutsideTransaction('A transaction of its own')
  const work = parameters.pop() as Work
  const releaseTurn = await takeTurn(turns)
  try {
    const bound = (tx: postgres.TransactionSql) => insideTransaction(() => work(tx))
    return await Reflect.apply(sql.begin, sql, [...parameters, bound])
  } finally {
    releaseTurn()
  }
}
