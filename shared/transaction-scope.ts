/**
 * Guards transactions against calls of anything but their own connection. A transaction holds a connection of the pool
 * and its locks until its body ends. If the body awaits the pool, concurrent transactions wait for each other for ever,
 * and PostgreSQL does not see this deadlock; if it awaits an outside party, they wait for its answer.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

interface Scope {
  isOpen: boolean
  violation?: AskedInsideTransaction
}

const scopes = new AsyncLocalStorage<Scope>()

/** A fault in our code, never in a request. */
class AskedInsideTransaction extends Error {
  override readonly name = 'AskedInsideTransaction'
}

/**
 * Runs a transaction's body. Work that the body has started and that goes on after its end counts as outside.
 * @throws AskedInsideTransaction when the body made such a call, even if it caught or wrapped the error
 */
export async function insideTransaction<Outcome>(body: () => Outcome | Promise<Outcome>): Promise<Outcome> {
  const scope: Scope = { isOpen: true }
  try {
    const outcome = await scopes.run(scope, async () => body())
    if (scope.violation) throw scope.violation
    return outcome
  } catch (error) {
    // The called code may have wrapped the error.
    throw scope.violation ?? error
  } finally {
    scope.isOpen = false
  }
}

/**
 * Every client of the pool or of an outside party calls this before it sends anything.
 * @param what the name of what is called, for the message
 * @throws AskedInsideTransaction inside a transaction
 */
export function assertOutsideTransaction(what: string): void {
  const scope = scopes.getStore()
  if (!scope?.isOpen) return
  const violation = new AskedInsideTransaction(
    `${what} was asked inside a database transaction: do it before or after, or pass the transaction on`,
  )
  scope.violation ??= violation
  throw violation
}
