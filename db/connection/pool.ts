import { finished, Readable, Writable } from 'node:stream'
import type postgres from 'postgres'
import { assertBeforeDeadline } from '../../shared/deadline.ts'
import { isKeyOf } from '../../shared/keys-of.ts'
import { assertOutsideTransaction, insideTransaction } from '../../shared/transaction-scope.ts'
import { createTurns } from '../../shared/turns.ts'
import { ConnectionLost, type Connections, isOfAnEarlierSchema, type Sql, type Use } from './connections.ts'

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
  /**
   * how long a statement may be without its answer, and a transaction without its end, milliseconds; 0 means no limit
   */
  answerMs: { statement: number; transaction: number }
}

/** Takes a connection of the pool. @param onLost called when it is lost, or given up, during the use */
type TakeConnection = (answerMs: number, onLost: (error: Error) => void) => Promise<Use>

/**
 * Internals of postgres.js 3.4: `handler` is called when a query is first awaited, and gives it to the connections of a
 * client.
 */
interface PendingQuery extends Promise<unknown> {
  handler(query: PendingQuery): unknown
  reject(error: unknown): void
}

/**
 * Bounds how many statements and transactions run at once, how long others wait for a connection, and how long each
 * waits for its answer. A use of the pool inside a transaction throws: it could wait for a connection that only the end
 * of the same transaction frees.
 * @param template a client that makes queries and fragments, and never connects
 */
export function limitPool(template: Sql, connections: Connections, limits: PoolLimits): Sql & { pool: PoolState } {
  const { answerMs, maxConnections, stuckAfterMs, waitMs } = limits
  const turns = createTurns({ what: 'a database connection', atOnce: maxConnections, waitMs })
  const pool: PoolState = { isStuck: () => turns.standstillMs() > stuckAfterMs }

  /** A request whose caller has been answered does not take connections from others. */
  const take: TakeConnection = async (limitMs, onLost) => {
    assertBeforeDeadline()
    const releaseTurn = await turns.take()
    let use: Use | undefined
    try {
      assertBeforeDeadline()
      use = await connections.take({ answerMs: limitMs, onLost })
      assertBeforeDeadline()
      const { client, end } = use
      return {
        client,
        end(error) {
          end(error)
          releaseTurn()
        },
      }
    } catch (error) {
      use?.end()
      releaseTurn()
      throw error
    }
  }

  const own = {
    begin: (...parameters: unknown[]) => beginInTurn(take, answerMs.transaction, parameters),
    unsafe: (...parameters: Parameters<Sql['unsafe']>) =>
      inTurn(template.unsafe(...parameters), take, answerMs.statement),
    end: connections.end,
    // postgres.js 3.4.9 never resolves it on a new connection without `fetch_types` (src/connection.js, ReadyForQuery).
    reserve: refused('reserve'),
    close: refused('close'),
    file: refused('file'),
    notify: refused('notify'),
    listen: refused('listen'),
    subscribe: refused('subscribe'),
    largeObject: refused('largeObject'),
  }
  const limited = new Proxy(template, {
    apply: (target, self, input) => inTurn(Reflect.apply(target, self, input), take, answerMs.statement),
    get: (target, name) => (isKeyOf(own, name) ? own[name] : Reflect.get(target, name)),
  })
  return Object.assign(limited, { pool })
}

/** The others of these functions of postgres.js use connections of the template, which the limit would not count. */
const refused = (name: string) => (): never => {
  throw new Error(`${name} is not for a pool with limits`)
}

const isPendingQuery = (made: Promise<unknown>): made is PendingQuery =>
  'handler' in made && typeof made.handler === 'function'

/** Identifiers, values and fragments pass unchanged: only a query that is awaited goes to the pool. */
function inTurn<Made>(made: Made, take: TakeConnection, answerMs: number): Made {
  if (!(made instanceof Promise)) return made
  const query = asPendingQuery(made)
  query.handler = async () => {
    try {
      assertOutsideTransaction('The connection pool')
      const { client, end } = await take(answerMs, (error) => query.reject(error))
      Promise.prototype.then.call(query, (outcome) => afterStream(outcome, end), end)
      handlerOf(client)(query)
    } catch (error) {
      query.reject(error)
    }
  }
  return made
}

function asPendingQuery(made: Promise<unknown>): PendingQuery {
  if (!isPendingQuery(made)) throw new Error('postgres.js has changed: its queries have no handler')
  return made
}

/** The handler that gives a query to a client's connection: that of a query of its own, which is never executed. */
const handlerOf = (client: Sql): PendingQuery['handler'] => asPendingQuery(client.unsafe('')).handler

/**
 * A COPY resolves to a stream and keeps its connection until the stream ends. One that was read is not used again:
 * postgres.js 3.4.9 stops reading the socket when the reader is slow, goes on only when it is asked for more, and is
 * not asked after the end (src/connection.js: `CopyData`, `CopyDone`), so that nobody would ever read the next answer.
 */
function afterStream(outcome: unknown, end: Use['end']): void {
  if (outcome instanceof Readable)
    finished(outcome, () => end(new ConnectionLost('CONNECTION_CLOSED', 'a table was read from it')))
  else if (outcome instanceof Writable) finished(outcome, (error) => end(error ?? undefined))
  else end()
}

async function beginInTurn(take: TakeConnection, answerMs: number, parameters: unknown[]): Promise<unknown> {
  assertOutsideTransaction('A transaction of its own')
  const work = parameters.pop()
  if (typeof work !== 'function') throw new TypeError('a transaction has no work to do')
  let lose = (_error: Error): void => {}
  const lost = new Promise<never>((_resolve, reject) => {
    lose = reject
  })
  const { client, end } = await take(answerMs, (error) => lose(error))
  try {
    const bound = (tx: postgres.TransactionSql) => insideTransaction(() => work(tx))
    const outcome = await Promise.race([Reflect.apply(client.begin, client, [...parameters, bound]), lost])
    end()
    return outcome
  } catch (error) {
    end(error)
    // Its caller may repeat it, as after any other connection that is gone.
    if (isOfAnEarlierSchema(error)) throw new ConnectionLost('CONNECTION_CLOSED', 'the tables have changed since')
    throw error
  }
}
