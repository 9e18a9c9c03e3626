import pMap from 'p-map'

/**
 * How many calls of one outside party a restore has under way at a time. Stripe takes a hundred reads in a second
 * (docs.stripe.com/rate-limits), and refunds that wait keep the API closed.
 */
const calls = 12

/** Works on several items at a time. @returns the results in the order of the items @throws the first fault, when no other work is under way */
export async function atOnce<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  let fault: { error: unknown } | undefined
  const results = await pMap(
    items,
    async (item) => {
      if (fault) return []
      try {
        return [await work(item)]
      } catch (error) {
        fault ??= { error }
        return []
      }
    },
    { concurrency: calls },
  )
  if (fault) throw fault.error
  return results.flat(1)
}
