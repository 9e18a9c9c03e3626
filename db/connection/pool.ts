import { finished, Readable, Writable } from 'node:stream'
import type postgres from 'postgres'
import { assertOutsideTransaction, insideTransaction } from '../../shared/transaction-scope.ts'
import { createTurns, type Turns } from '../../shared/turns.ts'

type Sql = postgres.Sql<{ bigint: bigint }>

/** What a pool says about itself without asking the database. */
export interface PoolState {
  /** Callers wait, and for longer than any statement may take no connection has come back. */
  isStuck(): boolean
}

export interface PoolLimits {
  maxConnections: number
  /** how long a statement or transaction waits for a connection, milliseconds */
  waitMs: number
  /** how long no connection comes back before the pool counts as stuck, milliseconds */
  stuckAfterMs: number
}

/** The parts of postgres.js 3.4 that hand a query to the pool when somebody first awaits it. */
interface PendingQuery extends Promise<unknown> {
  handler(query: PendingQuery): unknown
  reject(error: unknown): void
}

/**
 * Gives each statement and transaction a turn of its own: postgres.js would queue without limit, and behind statements
 * that are under way. Refuses whatever is asked of the pool inside a transaction.
 */
export function limitPool(sql: Sql, limits: PoolLimits): Sql & { pool: PoolState } {
  const turns = createTurns({ what: 'a database connection', atOnce: limits.maxConnections, waitMs: limits.waitMs })
  const pool: PoolState = { isStuck: () => turns.standstillMs() > limits.stuckAfterMs }

  const own = {
    pool,
    begin: (...parameters: unknown[]) => beginInTurn(sql, turns, parameters),
    reserve: () => reserveInTurn(sql, turns),
    unsafe: (...parameters: Parameters<Sql['unsafe']>) => inTurn(sql.unsafe(...parameters), turns),
    file: (...parameters: Parameters<Sql['file']>) => inTurn(sql.file(...parameters), turns),
    notify: refused('notify'),
    listen: refused('listen'),
    subscribe: refused('subscribe'),
    largeObject: refused('largeObject'),
  }
  return new Proxy(sql, {
    apply: (target, self, input) => inTurn(Reflect.apply(target as never, self, input), turns),
    get: (target, name) => (Object.hasOwn(own, name) ? own[name as keyof typeof own] : Reflect.get(target, name)),
  }) as Sql & { pool: PoolState }
}

/** They would use connections that nobody counts. */
const refused = (name: string) => (): never => {
  throw new Error(`${name} is not for a pool with limits`)
}

/** Identifiers, values and parts of statements pass: only what is awaited is handed to the pool. */
function inTurn<Made>(made: Made, turns: Turns): Made {
  if (!(made instanceof Promise)) return made
  const query = made as unknown as PendingQuery
  if (typeof query.handler !== 'function') throw new Error('postgres.js has changed: its queries have no handler')
  const handler = query.handler
  query.handler = async () => {
    try {
      assertOutsideTransaction('The connection pool')
      const giveBack = await turns.take()
      Promise.prototype.then.call(query, (outcome) => afterStream(outcome, giveBack), giveBack)
      handler(query)
    } catch (error) {
      query.reject(error)
    }
  }
  return made
}

/** A COPY answers with a stream and keeps its connection until that ends. */
function afterStream(outcome: unknown, giveBack: () => void): void {
  if (outcome instanceof Readable || outcome instanceof Writable) finished(outcome, giveBack)
  else giveBack()
}

type Work = (tx: postgres.TransactionSql) => unknown

async function beginInTurn(sql: Sql, turns: Turns, parameters: unknown[]): Promise<unknown> {
  assertOutsideTransaction('A transaction of its own')
  const work = parameters.pop() as Work
  const giveBack = await turns.take()
  try {
    const begin = sql.begin as unknown as (...input: unknown[]) => Promise<unknown>
    return await begin(...parameters, (tx: postgres.TransactionSql) => insideTransaction(() => work(tx)))
  } finally {
    giveBack()
  }
}

async function reserveInTurn(sql: Sql, turns: Turns): Promise<postgres.ReservedSql> {
  assertOutsideTransaction('A connection of its own')
  const giveBack = await turns.take()
  try {
    const reserved = await sql.reserve()
    const release = reserved.release
    return Object.assign(reserved, {
      release: () => {
        release()
        giveBack()
      },
    })
  } catch (error) {
    giveBack()
    throw error
  }
}
