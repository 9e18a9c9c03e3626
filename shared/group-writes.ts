/**
 * Combines many small writes into few: items that arrive during a write are written together by the next one.
 * @returns a function that takes an item and resolves once it is written
 */
export function createGroupWriter<Item>(write: (items: Item[]) => Promise<void>): (item: Item) => Promise<void> {
  let gathered: Item[] = []
  let next: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()

  return (item) => {
    gathered.push(item)
    next ??= last.then(() => {
      const items = gathered
      gathered = []
      next = undefined
      const writing = write(items)
      last = writing.catch(() => undefined)
      return writing
    })
    return next
  }
}
