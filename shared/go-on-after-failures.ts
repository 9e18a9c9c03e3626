/** Work on many items. One that fails delays no other. */
import { failureType } from './failures.ts'

/** The failures of one piece of work, until all its parts are done. */
export function goOnAfterFailures() {
  let first: unknown
  return {
    /**
     * Does the same for each item. One that fails is tried once more behind all others: one of an outside party's
     * machines may not know it at the moment.
     * @param work throws a failure of shared/failures.ts for what concerns this item alone. Any other error, of the
     * database or of Temporal, is thrown at once: the others would fail as well
     * @param leave is given an item that has failed twice, and throws what it does not take; by default it takes
     * nothing
     */
    async each<Item>(
      items: Iterable<Item> | AsyncIterable<Item>,
      work: (item: Item) => Promise<unknown>,
      leave: (item: Item, error: unknown) => Promise<unknown> = rethrow,
    ): Promise<void> {
      const failed: Item[] = []
      for await (const item of items) await work(item).catch(unlessOfItem(() => failed.push(item)))
      for (const item of failed) {
        await work(item)
          .catch(unlessOfItem((error) => leave(item, error)))
          .catch(unlessOfItem((error) => (first ??= error)))
      }
    },
    /** @throws the first failure that nothing has taken */
    end(): void {
      if (first !== undefined) throw first
    },
  }
}

const unlessOfItem =
  (go: (error: unknown) => unknown) =>
  async (error: unknown): Promise<void> => {
    if (failureType(error) === undefined) throw error
    await go(error)
  }

async function rethrow(_item: unknown, error: unknown): Promise<never> {
  throw error
}
