/**
 * Opens connections to PostgreSQL, and throws each away when it is lost.
 *
 * A connection is a client of postgres.js that holds one connection and never opens another. postgres.js 3.4.9 keeps
 * the state of a lost connection for the next one of the same client: a statement that was handed over between the
 * error and the close of its socket is never answered, and what was about to be written then is never written, so that
 * the client cannot connect any more (src/connection.js: `error`, `closed`, `nextWriteTimer`). A server that closes
 * each connection while it opens is asked again without a pause and without an end
 * (https://github.com/porsager/postgres/issues/1193). The wait for an answer has no bound: a connection whose other
 * side is gone without a word holds its statement for as long as the kernel repeats, or for ever behind a proxy that
 * has taken the bytes (https://github.com/porsager/postgres/issues/1089).
 */
import { setTimeout as pause } from 'node:timers/promises'
import type postgres from 'postgres'
import { propertyOf } from '../../shared/keys-of.ts'
import { isLoss } from './lost-connection.ts'

export type Sql = postgres.Sql<{ bigint: bigint }>

/** Called when a client's connection opens or closes. */
export interface ConnectionEvents {
  /** the server has let it in */
  onOpened(): void
  onClosed(): void
}

export interface ConnectionLimits {
  /** until the server has let a connection in, milliseconds */
  connectMs: number
  /** a connection that nobody uses is closed after this, milliseconds */
  idleMs: number
  /** a connection is not used again after this, milliseconds */
  lifetimeMs(): number
}

/** A connection that one caller uses. */
export interface Use {
  client: Sql
  /**
   * Gives the connection back. @param error what the use has failed with; a connection that it reports as lost is
   * thrown away, and all are when it shows that the server or the tables are others than when they were opened
   */
  end(error?: unknown): void
}

interface Connection {
  client: Sql
  isOpen: boolean
  usableUntil: number
  idleTimer: NodeJS.Timeout | undefined
  /** the use under way */
  onLost: ((error: Error) => void) | undefined
}

/** A connection was lost, or given up because it did not answer; what a statement on it has done is unknown. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
  readonly code: 'CONNECT_TIMEOUT' | 'CONNECTION_CLOSED' | 'CONNECTION_ENDED'

  constructor(code: ConnectionLost['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** PostgreSQL's code of a server that does not write: it was the primary, and is a standby now. */
const readOnly = '25006'

/**
 * Whether a transaction has met a plan of before a migration. postgres.js makes the plan anew and repeats the statement,
 * which a transaction that has failed refuses. Nothing of the transaction was applied.
 */
export const isOfAnEarlierSchema = (error: unknown): boolean => propertyOf(error, 'routine') === 'RevalidateCachedQuery'

/** Whether others of these connections would meet the same, and new ones would not. */
const isOutOfDate = (error: unknown): boolean => propertyOf(error, 'code') === readOnly || isOfAnEarlierSchema(error)

/** A database that nobody may write to for hours must not be connected to anew by each request. */
const renewedEveryMs = 5_000

/** Where nothing listens a connection fails at once: further ones wait, up to a second. */
const backoffMs = (failures: number): number =>
  failures === 0 ? 0 : Math.min(50 * 2 ** failures, 1_000) * (0.5 + Math.random() / 2)

export type Connections = ReturnType<typeof createConnections>

/** @param open makes a client of one connection, which connects at its first statement */
export function createConnections(open: (events: ConnectionEvents) => Sql, limits: ConnectionLimits) {
  const all = new Set<Connection>()
  /** the one used last is at the end */
  const idle: Connection[] = []
  let failures = 0
  let connectsFrom = 0
  let isEnded = false
  let renewedAt = Number.NEGATIVE_INFINITY

  function connect(): Connection {
    const connection: Connection = {
      client: open({
        onOpened() {
          connection.isOpen = true
          failures = 0
          connectsFrom = 0
        },
        onClosed: () => discard(connection, new ConnectionLost('CONNECTION_CLOSED', 'the connection was closed')),
      }),
      isOpen: false,
      usableUntil: performance.now() + limits.lifetimeMs(),
      idleTimer: undefined,
      onLost: undefined,
    }
    all.add(connection)
    return connection
  }

  function unlist(connection: Connection): boolean {
    clearTimeout(connection.idleTimer)
    const at = idle.indexOf(connection)
    if (at >= 0) idle.splice(at, 1)
    return all.delete(connection)
  }

  function discard(connection: Connection, error: Error): void {
    if (!unlist(connection)) return
    if (!connection.isOpen) {
      failures += 1
      connectsFrom = performance.now() + backoffMs(failures)
    }
    connection.onLost?.(error)
    // Ends a connection that is still there, and all pending work of its client.
    void connection.client.end({ timeout: 0 })
  }

  function rest(connection: Connection): void {
    if (isEnded || performance.now() >= connection.usableUntil) return void close(connection)
    idle.push(connection)
    connection.idleTimer = setTimeout(close, limits.idleMs, connection)
    connection.idleTimer.unref()
  }

  function close(connection: Connection): void {
    unlist(connection)
    void connection.client.end({ timeout: 0 })
  }

  /** No connection of now is used again: a name leads to the new primary, a session stays with the old one. */
  function renew(): void {
    const now = performance.now()
    if (now < renewedAt + renewedEveryMs) return
    renewedAt = now
    for (const each of all) each.usableUntil = now
    for (const each of [...idle]) close(each)
  }

  return {
    /**
     * Takes a connection that nobody uses, or a new one.
     * @param options.answerMs after this the connection is given up, not counting the time to connect; 0 means no limit
     * @param options.onLost called when the connection is lost or given up during the use
     */
    async take({ answerMs, onLost }: { answerMs: number; onLost: (error: Error) => void }): Promise<Use> {
      const waitMs = connectsFrom - performance.now()
      if (idle.length === 0 && waitMs > 0) await pause(waitMs)
      if (isEnded) throw new ConnectionLost('CONNECTION_ENDED', 'the pool has ended')
      const connection = idle.pop() ?? connect()
      clearTimeout(connection.idleTimer)
      const { connectMs } = limits
      const connecting = connection.isOpen ? undefined : setTimeout(stillConnecting, connectMs)
      const givenUpMs = connection.isOpen ? answerMs : connectMs + answerMs
      const answering = answerMs > 0 ? setTimeout(giveUp, givenUpMs) : undefined
      connection.onLost = onLost
      let hasEnded = false
      return { client: connection.client, end }

      function giveUp(): void {
        discard(connection, new ConnectionLost('CONNECTION_CLOSED', `no answer within ${givenUpMs} ms`))
      }

      function stillConnecting(): void {
        if (!connection.isOpen)
          discard(connection, new ConnectionLost('CONNECT_TIMEOUT', `not connected within ${connectMs} ms`))
      }

      function end(error?: unknown): void {
        if (hasEnded) return
        hasEnded = true
        clearTimeout(connecting)
        clearTimeout(answering)
        connection.onLost = undefined
        if (!all.has(connection)) return
        if (error instanceof Error && (isLoss(error) || !connection.isOpen)) {
          discard(connection, error)
          return
        }
        if (isOutOfDate(error)) renew()
        rest(connection)
      }
    },

    /** Closes all connections, when their uses have ended or after `timeout` seconds. */
    async end({ timeout }: { timeout?: number } = {}): Promise<void> {
      isEnded = true
      const options = timeout === undefined ? {} : { timeout }
      for (const { idleTimer } of all) clearTimeout(idleTimer)
      await Promise.all([...all].map(({ client }) => client.end(options)))
    },
  }
}
