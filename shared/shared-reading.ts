/**
 * Shares one reading among all callers while it is fresh, also those that come while it is under way.
 * @param freshForMs counts from the beginning of the reading
 */
export function shareReading<Value>(freshForMs: number, read: (now: Date) => Promise<Value>): () => Promise<Value> {
  let last: { value: Promise<Value>; at: number } | undefined
  return () => {
    const now = Date.now()
    if (!last || now - last.at >= freshForMs) last = { value: read(new Date(now)), at: now }
    return last.value
  }
}
