import type postgres from 'postgres'
import { assertOutsideTransaction, insideTransaction } from '../transaction-scope.ts'

type Sql = postgres.Sql<{ bigint: bigint }>

/** The parts of postgres.js 3.4 that hand a query to the pool when somebody first awaits it. */
interface PendingQuery extends Promise<unknown> {
  handler(query: PendingQuery): unknown
  reject(error: unknown): void
}

/** Refuses whatever is asked of the pool inside a transaction. */
export function guardPool(sql: Sql): Sql {
  const own = {
    begin: (...parameters: unknown[]) => guardedBegin(sql, parameters),
    reserve: () => guardedReserve(sql),
    unsafe: (...parameters: Parameters<Sql['unsafe']>) => guarded(sql.unsafe(...parameters)),
    file: (...parameters: Parameters<Sql['file']>) => guarded(sql.file(...parameters)),
    notify: refused('notify'),
    listen: refused('listen'),
    subscribe: refused('subscribe'),
    largeObject: refused('largeObject'),
  }
  return new Proxy(sql, {
    apply: (target, self, input) => guarded(Reflect.apply(target as never, self, input)),
    get: (target, name) => (Object.hasOwn(own, name) ? own[name as keyof typeof own] : Reflect.get(target, name)),
  })
}

/** They would use connections that nobody looks after. */
const refused = (name: string) => (): never => {
  throw new Error(`${name} is not for this pool`)
}

/** Identifiers, values and parts of statements pass: only what is awaited is handed to the pool. */
function guarded<Made>(made: Made): Made {
  if (!(made instanceof Promise)) return made
  const query = made as unknown as PendingQuery
  if (typeof query.handler !== 'function') throw new Error('postgres.js has changed: its queries have no handler')
  const handler = query.handler
  query.handler = () => {
    try {
      assertOutsideTransaction('The connection pool')
      handler(query)
    } catch (error) {
      query.reject(error)
    }
  }
  return made
}

type Work = (tx: postgres.TransactionSql) => unknown

async function guardedBegin(sql: Sql, parameters: unknown[]): Promise<unknown> {
  assertOutsideTransaction('A transaction of its own')
  const work = parameters.pop() as Work
  const begin = sql.begin as unknown as (...input: unknown[]) => Promise<unknown>
  return begin(...parameters, (tx: postgres.TransactionSql) => insideTransaction(() => work(tx)))
}

async function guardedReserve(sql: Sql): Promise<postgres.ReservedSql> {
  assertOutsideTransaction('A connection of its own')
  return sql.reserve()
}
