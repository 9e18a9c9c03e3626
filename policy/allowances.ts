/**
 * U5: abuse is detected. How often one person, or one address to which we mail, may make us do something; rate limits
 * count requests, these count effects. Far more than anybody needs.
 */
import { milliseconds } from './periods.ts'

const { minute, hour, day } = milliseconds

export const allowances = {
  order: { most: 40, withinMs: hour },
  resend: { most: 10, withinMs: hour },
  /** each is acknowledged by mail and occupies an operator */
  privacy_request: { most: 25, withinMs: day },
  /** of each new address, for all callers together */
  email_change: { most: 5, withinMs: day },
  /** a caller who only knows an address must not flood it */
  sign_in_link: { most: 3, withinMs: 15 * minute },
  export: { most: 20, withinMs: hour },
  /** each is a row of the security log, and may ask Apple */
  sign_in: { most: 100, withinMs: hour },
  /**
   * cancellations and returns: each asks the provider, whose limit is everybody's, and a run takes 2,000 updates in its
   * life, also those that are refused
   */
  give_back: { most: 50, withinMs: day },
  /** apart from the others: it is a right */
  withdrawal: { most: 50, withinMs: day },
} as const

export type AllowanceKind = keyof typeof allowances

/** Devices of an account. With one more, the one that was not seen for longest goes. */
export const mostDevices = 20
