import { mapUntilFault } from '../../shared/map-until-fault.ts'

/**
 * How many calls of one outside party a restore has under way at a time. Stripe takes a hundred reads in a second
 * (docs.stripe.com/rate-limits), and refunds that wait keep the API closed.
 */
const calls = 12

/**
 * Works on several items at a time. @returns the results in the order of the items @throws the first fault, when no
 * other work is under way
 */
export const atOnce = <Item, Result>(items: Iterable<Item>, work: (item: Item) => Promise<Result>): Promise<Result[]> =>
  mapUntilFault(items, work, { concurrency: calls })
