/** What tests verify otherwise than by an expectation: conditions they wait for, and statuses of answers. */
import { AsyncLocalStorage } from 'node:async_hooks'

let count = 0
const given = new AsyncLocalStorage<true>()

export const countVerified = (): void => {
  if (!given.getStore()) count += 1
}

/** Makes what a test begins with: that it is there is not what the test verifies. */
export const asGiven = <Made>(make: () => Promise<Made>): Promise<Made> => given.run(true, make)

export const verifiedSoFar = (): number => count
