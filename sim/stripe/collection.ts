/** Objects of one kind: found by id or an indexed field, and listed newest first, as Stripe does. */
import { missing } from './refusal.ts'

export interface Page<T> {
  data: T[]
  has_more: boolean
}

export interface PageRequest {
  limit: number
  startingAfter?: string | undefined
  endingBefore?: string | undefined
  /** Unix seconds, both ends inclusive */
  createdFrom?: number | undefined
  createdTo?: number | undefined
}

interface Stored {
  id: string
  created: number
}

export interface Collection<T extends Stored> {
  get(id: string): T | undefined
  add(item: T): T
  by(index: string, value: string): T[]
  all(): T[]
  page(request: PageRequest, filters?: Record<string, string | undefined>, isWanted?: (item: T) => boolean): Page<T>
  clear(): void
}

/**
 * @param indexes name → reader of the field's value; indexed fields must not change after `add`
 * @param readers likewise, of fields that may change
 */
export function createCollection<T extends Stored>(
  indexes: Record<string, (item: T) => string | null | undefined> = {},
  readers: Record<string, (item: T) => string | null | undefined> = {},
): Collection<T> {
  const items = new Map<string, T>()
  const indexed = new Map<string, T[]>()

  const by = (index: string, value: string): T[] => indexed.get(`${index}:${value}`) ?? []

  return {
    get: (id) => items.get(id),
    add: (item) => {
      items.set(item.id, item)
      for (const [name, read] of Object.entries(indexes)) {
        const value = read(item)
        if (!value) continue
        const entry = indexed.get(`${name}:${value}`)
        if (entry) entry.push(item)
        else indexed.set(`${name}:${value}`, [item])
      }
      return item
    },
    by,
    all: () => [...items.values()],
    page: (request, filters = {}, isWanted = () => true) => {
      const wanted = Object.entries(filters).filter((filter): filter is [string, string] => filter[1] !== undefined)
      const [first, ...rest] = wanted.toSorted(([a], [b]) => Number(a in readers) - Number(b in readers))
      const isIndexed = first !== undefined && !(first[0] in readers)
      const candidates = (isIndexed ? by(...first) : [...items.values()])
        .filter((item) =>
          (isIndexed ? rest : wanted).every(([name, value]) => (indexes[name] ?? readers[name])?.(item) === value),
        )
        .filter(isWanted)
        .filter((item) => item.created >= (request.createdFrom ?? 0))
        .filter((item) => item.created <= (request.createdTo ?? Number.POSITIVE_INFINITY))
        .reverse()
      return cut(candidates, request)
    },
    clear: () => {
      items.clear()
      indexed.clear()
    },
  }
}

/** The page of a list that a request asks for. @throws Refusal (400) when the list has no object with the cursor's id */
export function cut<T extends { id: string }>(
  newestFirst: T[],
  { limit, startingAfter, endingBefore }: PageRequest,
): Page<T> {
  const placeOf = (cursor: string, param: string): number => {
    const place = newestFirst.findIndex(({ id }) => id === cursor)
    if (place < 0) throw missing('object', cursor, param)
    return place
  }
  if (endingBefore) {
    const end = placeOf(endingBefore, 'ending_before')
    const start = Math.max(0, end - limit)
    return { data: newestFirst.slice(start, end), has_more: start > 0 }
  }
  const start = startingAfter ? placeOf(startingAfter, 'starting_after') + 1 : 0
  return { data: newestFirst.slice(start, start + limit), has_more: newestFirst.length > start + limit }
}

/** The object with an id. @throws Refusal (404) */
export function found<T extends Stored>(collection: Collection<T>, kind: string, id: string): T {
  const item = collection.get(id)
  if (!item) throw missing(kind, id)
  return item
}
