/**
 * A database transaction holds one of few connections and its locks until its body ends. A body that awaits the pool, or
 * somebody else's server, holds them for as long as that takes: twenty at once wait for each other for ever, and
 * PostgreSQL sees no deadlock in it. Therefore nothing but the transaction's own connection may be asked inside one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Scope {
  isOpen: boolean
  fault?: AskedInsideTransaction
}

const scopes = new AsyncLocalStorage<Scope>()

/** A mistake in the program, never one of its callers. */
export class AskedInsideTransaction extends Error {
  override readonly name = 'AskedInsideTransaction'
}

/**
 * Runs a transaction's body. Work that it starts and that goes on after its end is outside again.
 * @throws AskedInsideTransaction when the body asked somebody else, even if it caught or wrapped that
 */
export async function insideTransaction<Outcome>(body: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  const scope: Scope = { isOpen: true }
  try {
    const outcome = await scopes.run(scope, async () => body())
    if (scope.fault) throw scope.fault
    return outcome
  } catch (error) {
    // Whoever was asked may have wrapped it.
    throw scope.fault ?? error
  } finally {
    scope.isOpen = false
  }
}

/**
 * To be called at every door to somebody else, before anything is sent.
 * @param what is asked, for the message
 * @throws AskedInsideTransaction inside a transaction
 */
export function assertOutsideTransaction(what: string): void {
  const scope = scopes.getStore()
  if (!scope?.isOpen) return
  const fault = new AskedInsideTransaction(
    `${what} was asked inside a database transaction: do it before or after, or pass the transaction on`,
  )
  scope.fault ??= fault
  throw fault
}
