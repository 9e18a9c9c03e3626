/** Work on several items at a time. It ends with the first fault. */
import pMap from 'p-map'

/**
 * Works on the items until one fails: no further item is begun, and those that are under way are waited for.
 * @returns the results in the order of the items
 * @throws the first fault, when no other work is under way
 */
export async function mapUntilFault<Item, Result>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<Result>,
  options: { concurrency: number },
): Promise<Result[]> {
  const faults: unknown[] = []
  const results = await pMap(
    items,
    async (item) => {
      if (faults.length > 0) return []
      try {
        return [await work(item)]
      } catch (error) {
        faults.push(error)
        return []
      }
    },
    options,
  )
  if (faults.length > 0) throw faults[0]
  return results.flat(1)
}
