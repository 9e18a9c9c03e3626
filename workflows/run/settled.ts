/** The value of a promise that has settled. @throws the reason of its rejection */
export function valueOrThrow<Value>(result: PromiseSettledResult<Value>): Value {
  if (result.status === 'rejected') throw result.reason
  return result.value
}
