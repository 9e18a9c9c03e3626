/** What a call that must fail failed with. */
import { isProviderFailure } from '../../providers/failure.ts'

/**
 * Answers `<kind> <code>` of the ProviderFailure; anything else thrown, or nothing, fails the test.
 * @param planted what must not be found in the error
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
