/** What tests verify otherwise than by an expectation: conditions they wait for, and statuses of answers. */
let count = 0

export const countVerified = (): void => {
  count += 1
}

export const verifiedSoFar = (): number => count
