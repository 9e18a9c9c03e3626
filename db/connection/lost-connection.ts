import { setTimeout as pause } from 'node:timers/promises'
import { textPropertyOf } from '../../shared/keys-of.ts'

/** The error codes of postgres.js and PostgreSQL for a connection that is closed or closing. */
const lossCodes = new Set([
  'CONNECTION_CLOSED',
  'CONNECTION_DESTROYED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
])

/** A transaction exceeded `transactionMs`. */
class TransactionTooLong extends Error {
  override readonly name = 'TransactionTooLong'
  readonly code = 'TRANSACTION_TOO_LONG'
}

/** postgres.js rejects the transaction of a closed connection within some turns of the event loop. */
const noticedAfterMs = 500

/**
 * Keeps a transaction from using its connection after the connection was lost. postgres.js 3.4.9 would write the
 * ROLLBACK, or the next statement, to a socket that is null, which throws outside any promise and ends the process
 * (https://github.com/porsager/postgres/issues/1208). `begin` still rejects, since it watches the connection itself.
 * @param limits.transactionMs after this time a transaction gets no further statement and is rolled back; 0 means no
 *   limit. PostgreSQL bounds each statement and each pause, but their sum only from version 17 on
 */
export function survivingLostConnections<Sql extends { begin: unknown }>(
  sql: Sql,
  { transactionMs }: { transactionMs: number },
): Sql {
  const { begin } = sql
  if (typeof begin !== 'function') throw new TypeError('a client that begins no transactions')

  const guardedBegin = async (...parameters: unknown[]): Promise<unknown> => {
    const work = parameters.pop()
    if (typeof work !== 'function') throw new TypeError('a transaction has no work to do')
    let loss: unknown
    const guarded = async (tx: (...input: unknown[]) => unknown): Promise<unknown> => {
      const startedAt = performance.now()
      const guardedTx = new Proxy(tx, {
        apply(target, self, input) {
          if (loss !== undefined) throw loss
          if (transactionMs > 0 && performance.now() - startedAt > transactionMs)
            throw new TransactionTooLong(`the transaction has lasted longer than ${transactionMs} ms`)
          return Reflect.apply(target, self, input)
        },
      })
      // After a loss `begin` has rejected already. If this function settled, postgres.js would write to the lost
      // connection.
      const neverAfterLoss = async <Outcome>(outcome: Outcome): Promise<Outcome> =>
        loss === undefined ? outcome : new Promise<never>(() => {})
      try {
        return await neverAfterLoss(await work(guardedTx))
      } catch (error) {
        // The error may come from another connection; the pause shows whether ours was lost, too.
        if (isLoss(error)) await pause(noticedAfterMs)
        throw await neverAfterLoss(error)
      }
    }
    try {
      return await Reflect.apply(begin, sql, [...parameters, guarded])
    } catch (error) {
      loss = error
      throw error
    }
  }
  return Object.assign(sql, { begin: guardedBegin })
}

/** Whether an error, or what has caused it, shows that a connection to PostgreSQL is closed or closing. */
export function isLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return lossCodes.has(textPropertyOf(error, 'code') ?? '') || isLoss(error.cause)
}
