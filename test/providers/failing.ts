/** Reads the ProviderFailure of a call that must fail. */
import { isProviderFailure } from '../../providers/failure.ts'

/**
 * @returns `<kind> <code>` of the ProviderFailure; any other result fails the test
 * @param planted a text that must not be in the error
 */
export async function failureOf(call: Promise<unknown>, planted = /planted|PRIVATE|eyJ|ya29/): Promise<string> {
  const error = await call.then(
    () => 'nothing',
    (thrown: unknown) => thrown,
  )
  if (!isProviderFailure(error)) throw new Error(`expected a ProviderFailure, got ${String(error)}`)
  if (planted.test(JSON.stringify([error.message, error.stack, error.cause])))
    throw new Error('the failure tells a secret')
  return `${error.kind} ${error.code}`
}
