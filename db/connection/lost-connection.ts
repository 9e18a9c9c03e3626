import { setTimeout as pause } from 'node:timers/promises'

/** What postgres.js and PostgreSQL say of a connection that is gone or going. */
const lossCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'ECONNRESET',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
])

/** A transaction took longer than it may. */
export class TransactionTooLong extends Error {
  override readonly name = 'TransactionTooLong'
  readonly code = 'TRANSACTION_TOO_LONG'
}

/** A closed connection rejects its transaction within some turns of the event loop. */
const noticedAfterMs = 500

type Work = (tx: object) => unknown
type Begin = (...parameters: unknown[]) => Promise<unknown>

/**
 * Keeps a transaction from using its connection after that was lost. postgres.js 3.4.9 would send the ROLLBACK, or the
 * next statement, to a socket that is null, which no caller can catch and which ends the process
 * (https://github.com/porsager/postgres/issues/1208). `begin` rejects all the same: it watches the connection.
 * @param limits.transactionMs after which it is given no further statement and is rolled back; 0: no limit. PostgreSQL
 * bounds each statement and each pause, their sum only from version 17 on
 */
export function survivingLostConnections<Sql extends { begin: unknown }>(
  sql: Sql,
  { transactionMs }: { transactionMs: number },
): Sql {
  const begin = (sql.begin as Begin).bind(sql)

  async function guardedBegin(...parameters: unknown[]): Promise<unknown> {
    const work = parameters.pop() as Work
    let loss: unknown
    const guarded = async (tx: object): Promise<unknown> => {
      const startedAt = performance.now()
      const guardedTx = new Proxy(tx as (...input: unknown[]) => unknown, {
        apply(target, self, input) {
          if (loss !== undefined) throw loss
          if (transactionMs > 0 && performance.now() - startedAt > transactionMs)
            throw new TransactionTooLong(`the transaction has lasted longer than ${transactionMs} ms`)
          return Reflect.apply(target, self, input)
        },
      })
      // Whoever began it learns of the loss from the connection; the end of this function would be answered by it.
      const neverAfterLoss = async <Outcome>(outcome: Outcome): Promise<Outcome> =>
        loss === undefined ? outcome : new Promise<never>(() => {})
      try {
        return await neverAfterLoss(await work(guardedTx))
      } catch (error) {
        // It may have been another connection that was lost.
        if (isLoss(error)) await pause(noticedAfterMs)
        throw await neverAfterLoss(error)
      }
    }
    try {
      return await begin(...parameters, guarded)
    } catch (error) {
      loss = error
      throw error
    }
  }
  return Object.assign(sql, { begin: guardedBegin })
}

function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code } = error as { code?: unknown }
  return (typeof code === 'string' && lossCodes.has(code)) || isLoss(error.cause)
}
